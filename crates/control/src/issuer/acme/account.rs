// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The account at the CA: made once, kept, and made again when the CA does not know it.

use instant_acme::{Account, AccountCredentials, Error, ExternalAccountKey, NewAccount};
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use super::AcmeSettings;
use super::client::Client;
use super::patience::{Patience, patiently};
use super::trouble::{Failure, Step, Trouble};
use crate::store::{Store, StoreError};

/// Opens the account.
pub(super) struct Accounts {
    client: Client,
    store: Store,
    directory: String,
    contact: Vec<String>,
    external: Option<(String, Zeroizing<Vec<u8>>)>,
    /// Held while an account is looked for or made, so that two orders do not make two.
    opening: Mutex<()>,
}

impl Accounts {
    pub(super) fn new(client: Client, settings: &AcmeSettings, store: Store) -> Self {
        Self {
            client,
            store,
            directory: settings.directory.clone(),
            contact: settings.contact.iter().map(|contact| contact_uri(contact)).collect(),
            external: settings.external_account.clone(),
            opening: Mutex::new(()),
        }
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
        let (store, secret) = (self.store.clone(), self.secret());
        let Some(kept) = blocking(move || store.secret(&secret)).await? else { return Ok(None) };
        let restored = patiently!(patience, self.restore(&kept).await);
        restored.map(Some).map_err(|trouble| trouble.at(Step::Register))
    }

    async fn restore(&self, kept: &[u8]) -> Result<Account, Error> {
        let credentials: AccountCredentials = serde_json::from_slice(kept)?;
        let builder = Account::builder_with_http(Box::new(self.client.clone()));
        builder.from_credentials(credentials).await
    }

    /// The name under which the store keeps the account.
    fn secret(&self) -> String {
        format!("acme-account/{}", self.directory)
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
        let json = Zeroizing::new(serde_json::to_vec(&credentials).map_err(failed)?);
        let (store, secret) = (self.store.clone(), self.secret());
        blocking(move || store.keep_secret(&secret, &json)).await?;
        Ok(account)
    }
}

/// Off the threads that serve, as it waits for the disk.
async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Failure> {
    let trouble = match spawn_blocking(call).await {
        Ok(Ok(result)) => return Ok(result),
        Ok(Err(error)) => Trouble::Account(error.to_string()),
        Err(error) => Trouble::Account(error.to_string()),
    };
    Err(trouble.at(Step::Register))
}

/// An address alone is one of e-mail (RFC 8555, section 7.3).
fn contact_uri(contact: &str) -> String {
    if contact.contains(':') { contact.to_owned() } else { format!("mailto:{contact}") }
}
