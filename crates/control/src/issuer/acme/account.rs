// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The account at the CA: made once, kept, and made again when the CA does not know it.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use instant_acme::{Account, AccountCredentials, Error, ExternalAccountKey, NewAccount};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use super::client::Client;
use super::patience::{Patience, patiently};
use super::trouble::{Failure, Step, Trouble};
use super::{AcmeSettings, AcmeSettingsError, ExternalAccount};
use crate::store::Store;

/// The name under which the store keeps the account.
const SECRET: &str = "acme-account";

/// Where the account is kept. It is secret: who has it may act as we at the CA. Calls may wait for a
/// disk.
pub trait AccountKeeper: Send + Sync {
    /// What was kept last.
    ///
    /// # Errors
    ///
    /// In one line, why it cannot be read.
    fn kept(&self) -> Result<Option<Zeroizing<Vec<u8>>>, String>;

    /// Keeps `account` in the place of what was kept.
    ///
    /// # Errors
    ///
    /// In one line, why it cannot be kept.
    fn keep(&self, account: &[u8]) -> Result<(), String>;
}

impl AccountKeeper for Store {
    fn kept(&self) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
        self.secret(SECRET).map_err(|error| error.to_string())
    }

    fn keep(&self, account: &[u8]) -> Result<(), String> {
        self.keep_secret(SECRET, account).map_err(|error| error.to_string())
    }
}

/// Opens the account.
pub(super) struct Accounts {
    client: Client,
    keeper: Arc<dyn AccountKeeper>,
    directory: String,
    contact: Vec<String>,
    external: Option<(String, Zeroizing<Vec<u8>>)>,
    /// Held while an account is looked for or made, so that two orders do not make two.
    opening: Mutex<()>,
}

/// Of what is kept, which CA it is for.
#[derive(Deserialize)]
struct Kept {
    directory: Option<String>,
}

impl Accounts {
    pub(super) fn new(
        client: Client,
        settings: &AcmeSettings,
        keeper: Arc<dyn AccountKeeper>,
    ) -> Result<Self, AcmeSettingsError> {
        let contact = settings.contact.iter().map(|contact| contact_uri(contact)).collect();
        let external = settings.external_account.as_ref().map(decode).transpose()?;
        let directory = settings.directory.clone();
        Ok(Self { client, keeper, directory, contact, external, opening: Mutex::new(()) })
    }

    /// The account that was kept, else a new one.
    pub(super) async fn open(&self, patience: &Patience) -> Result<Account, Failure> {
        let _opening = self.opening.lock().await;
        match self.known(patience).await? {
            Some(account) => Ok(account),
            None => self.register(patience).await,
        }
    }

    /// A new account in the place of `unknown`, which the CA does not know any more.
    pub(super) async fn renew(
        &self,
        unknown: &Account,
        patience: &Patience,
    ) -> Result<Account, Failure> {
        let _opening = self.opening.lock().await;
        match self.known(patience).await? {
            // Another order has been here.
            Some(account) if account.id() != unknown.id() => Ok(account),
            _ => self.register(patience).await,
        }
    }

    /// The account that was kept, if there is one for this CA.
    pub(super) async fn known(&self, patience: &Patience) -> Result<Option<Account>, Failure> {
        let keeper = Arc::clone(&self.keeper);
        let kept = blocking(move || keeper.kept()).await?;
        let Some(kept) = kept.filter(|kept| self.is_for_this_ca(kept)) else { return Ok(None) };
        let restored = patiently!(patience, self.restore(&kept).await);
        restored.map(Some).map_err(|trouble| trouble.at(Step::Register))
    }

    async fn restore(&self, kept: &[u8]) -> Result<Account, Error> {
        let credentials: AccountCredentials = serde_json::from_slice(kept)?;
        let builder = Account::builder_with_http(Box::new(self.client.clone()));
        builder.from_credentials(credentials).await
    }

    fn is_for_this_ca(&self, kept: &[u8]) -> bool {
        let directory = serde_json::from_slice::<Kept>(kept).ok().and_then(|kept| kept.directory);
        directory.as_deref() == Some(&*self.directory)
    }

    async fn register(&self, patience: &Patience) -> Result<Account, Failure> {
        let contact: Vec<_> = self.contact.iter().map(String::as_str).collect();
        let wanted = NewAccount {
            contact: &contact,
            terms_of_service_agreed: true,
            only_return_existing: false,
        };
        let external =
            self.external.as_ref().map(|(id, key)| ExternalAccountKey::new(id.clone(), key));
        let made = patiently!(
            patience,
            Account::builder_with_http(Box::new(self.client.clone()))
                .create(&wanted, self.directory.clone(), external.as_ref())
                .await
        );
        let (account, credentials) = made.map_err(|trouble| trouble.at(Step::Register))?;
        tracing::info!(directory = self.directory, account = account.id(), "registered at the CA");
        let failed = |error: serde_json::Error| Trouble::Make(error.to_string()).at(Step::Register);
        let secret = Zeroizing::new(serde_json::to_vec(&credentials).map_err(failed)?);
        let keeper = Arc::clone(&self.keeper);
        blocking(move || keeper.keep(&secret)).await?;
        Ok(account)
    }
}

/// Off the threads that serve, as it may wait for a disk.
async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, Failure> {
    let result = spawn_blocking(call).await.unwrap_or_else(|error| Err(error.to_string()));
    result.map_err(|why| Trouble::Account(why).at(Step::Register))
}

/// An address alone is one of e-mail (RFC 8555, section 7.3).
fn contact_uri(contact: &str) -> String {
    if contact.contains(':') { contact.to_owned() } else { format!("mailto:{contact}") }
}

/// CAs give the key in base64url, some of them padded.
fn decode(external: &ExternalAccount) -> Result<(String, Zeroizing<Vec<u8>>), AcmeSettingsError> {
    let text = external.hmac_key.trim().trim_end_matches('=');
    let key = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| AcmeSettingsError::HmacKey)?;
    if key.is_empty() {
        return Err(AcmeSettingsError::HmacKey);
    }
    Ok((external.key_id.clone(), Zeroizing::new(key)))
}
