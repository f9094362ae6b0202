// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Certificates from an authority that speaks ACME (RFC 8555).

mod challenge;
mod persist;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, CertificateIdentifier, Error as AcmeError,
    ExternalAccountKey, HttpClient, Identifier, NewAccount, NewOrder, Order as AcmeOrder,
    OrderStatus,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use thiserror::Error;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::{IssueError, Issued, Issuer, Order, RenewalWindow};
use crate::name::DnsName;
use crate::store::{Store, StoreError};

pub use challenge::{ChallengeKind, Challenges};
use challenge::{Presented, Wanted};
use persist::{Tries, explain};

/// Longest that a certificate may take, with all that is tried again.
const DEADLINE: Duration = Duration::from_secs(300);

/// How long the authority is waited for between two looks at an order.
const FIRST_LOOK: Duration = Duration::from_millis(250);
const LAST_LOOK: Duration = Duration::from_secs(5);

/// How long the authority's wish for renewal is waited for.
const WINDOW_PATIENCE: Duration = Duration::from_secs(30);

/// What an authority is asked by.
pub struct AcmeSettings {
    /// URL of its directory (RFC 8555, section 7.1.1).
    pub directory: String,
    /// Addresses to tell it, such as `mailto:admin@example.com`.
    pub contact: Vec<String>,
    /// Root of its own HTTPS, in PEM, if the system does not trust it.
    pub root: Option<PathBuf>,
    /// Key identifier and MAC key of an account elsewhere (RFC 8555, section 7.3.4).
    pub external_account: Option<(String, Zeroizing<Vec<u8>>)>,
    /// How to show who has a name; the first that it offers is taken.
    pub challenges: Vec<ChallengeKind>,
}

/// An account with an authority.
pub struct AcmeIssuer {
    settings: AcmeSettings,
    challenges: Challenges,
    store: Store,
    /// Made, or taken up, with the first certificate.
    account: Mutex<Option<Account>>,
}

impl std::fmt::Debug for AcmeIssuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AcmeIssuer")
            .field("directory", &self.settings.directory)
            .finish_non_exhaustive()
    }
}

impl AcmeIssuer {
    /// An issuer whose account is kept in `store`. Nothing is asked of the authority before the first certificate.
    pub fn new(settings: AcmeSettings, challenges: Challenges, store: Store) -> Self {
        Self { settings, challenges, store, account: Mutex::new(None) }
    }

    /// The account, taken up from the store or made.
    async fn account(&self) -> Result<Account, IssueError> {
        let mut account = self.account.lock().await;
        if let Some(account) = &*account {
            return Ok(account.clone());
        }
        let credentials = self.store.secret(&self.kept()).map_err(|error| not_kept(&error))?;
        let made = match credentials {
            Some(credentials) => self.take_up(&credentials).await?,
            None => self.register(&self.kept()).await?,
        };
        Ok(account.insert(made).clone())
    }

    async fn replace_account(&self) -> Result<Account, IssueError> {
        let mut account = self.account.lock().await;
        let made = self.register(&self.kept()).await?;
        Ok(account.insert(made).clone())
    }

    /// What the account is kept under.
    fn kept(&self) -> String {
        format!("acme-account/{}", self.settings.directory)
    }

    async fn take_up(&self, credentials: &[u8]) -> Result<Account, IssueError> {
        let mut tries = Tries::new();
        let taken = loop {
            match self.account_of(credentials).await {
                Err(error) if tries.again(&error).await => {}
                result => break result,
            }
        };
        taken.map_err(|error| self.failed("the account cannot be taken up", &error))
    }

    async fn account_of(&self, credentials: &[u8]) -> Result<Account, AcmeError> {
        let credentials: AccountCredentials = serde_json::from_slice(credentials)?;
        Account::builder_with_http(self.http()?).from_credentials(credentials).await
    }

    async fn register(&self, kept: &str) -> Result<Account, IssueError> {
        let contact: Vec<&str> = self.settings.contact.iter().map(String::as_str).collect();
        let new = NewAccount {
            contact: &contact,
            terms_of_service_agreed: true,
            only_return_existing: false,
        };
        let external = self.settings.external_account.as_ref();
        let external = external.map(|(id, key)| ExternalAccountKey::new(id.clone(), key));
        let directory = &self.settings.directory;
        let mut tries = Tries::new();
        let made = loop {
            let http =
                self.http().map_err(|error| self.failed("no account can be made", &error))?;
            let builder = Account::builder_with_http(http);
            match builder.create(&new, directory.clone(), external.as_ref()).await {
                Err(error) if tries.again(&error).await => {}
                result => break result,
            }
        };
        let (account, credentials) =
            made.map_err(|error| self.failed("no account can be made", &error))?;
        let json = serde_json::to_vec(&credentials).map(Zeroizing::new);
        let json =
            json.map_err(|error| self.failed("the account cannot be kept", &error.into()))?;
        self.store.keep_secret(kept, &json).map_err(|error| not_kept(&error))?;
        Ok(account)
    }

    /// A client of HTTPS that trusts what it was told, else what the system does.
    fn http(&self) -> Result<Box<dyn HttpClient>, AcmeError> {
        let other = |error: Box<dyn std::error::Error + Send + Sync>| AcmeError::Other(error);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = HttpsConnectorBuilder::new();
        let connector = match &self.settings.root {
            None => builder
                .with_provider_and_platform_verifier(provider)
                .map_err(|error| other(error.into()))?,
            Some(path) => {
                let mut roots = RootCertStore::empty();
                let root = CertificateDer::from_pem_file(path);
                let root = root.map_err(|error| {
                    other(format!("{} holds no root in PEM: {error}", path.display()).into())
                })?;
                roots.add(root).map_err(|error| other(error.into()))?;
                let config = ClientConfig::builder_with_provider(provider)
                    .with_safe_default_protocol_versions()
                    .map_err(|error| other(error.into()))?
                    .with_root_certificates(roots)
                    .with_no_client_auth();
                builder.with_tls_config(config)
            }
        };
        let connector = connector.https_only().enable_http1().build();
        Ok(Box::new(Client::builder(TokioExecutor::new()).build(connector)))
    }

    async fn obtain(&self, order: &Order) -> Result<Issued, IssueError> {
        let mut account = self.account().await?;
        let mut made = self.order(&account, order).await;
        if let Err(AcmeError::Api(problem)) = &made
            && persist::is_account_unknown(problem)
        {
            // An authority that was set up anew has forgotten everybody.
            tracing::warn!(directory = %self.settings.directory, "the account is not known any more: making another");
            account = self.replace_account().await?;
            made = self.order(&account, order).await;
        }
        let mut acme =
            made.map_err(|error| self.failed(&format!("no order for {}", order.name), &error))?;
        if let Some(wanted) = self.wanted(&mut acme, &order.name).await? {
            let _presented: Presented = self.challenges.present(&order.name, &wanted).await?;
            self.set_ready(&mut acme, &wanted).await?;
            self.until_ready(&account, &mut acme, &order.name).await?;
        }
        self.finalize(&mut acme, &order.name).await
    }

    async fn order(&self, account: &Account, order: &Order) -> Result<AcmeOrder, AcmeError> {
        let identifiers = [Identifier::Dns(order.name.to_string())];
        let replaces = order.replaces.as_ref();
        let replaces = replaces.and_then(|leaf| CertificateIdentifier::try_from(leaf).ok());
        if let Some(replaces) = replaces {
            let new = NewOrder::new(&identifiers).replaces(replaces);
            // One that does not know of replacement, or not of this one, gets an order without.
            if let Ok(acme) = account.new_order(&new).await {
                return Ok(acme);
            }
        }
        let new = NewOrder::new(&identifiers);
        let mut tries = Tries::new();
        loop {
            match account.new_order(&new).await {
                Err(error) if tries.again(&error).await => {}
                result => return result,
            }
        }
    }

    /// The challenge to be answered; none where the authority knows already.
    async fn wanted(
        &self,
        acme: &mut AcmeOrder,
        name: &DnsName,
    ) -> Result<Option<Wanted>, IssueError> {
        let mut tries = Tries::new();
        let found = loop {
            match self.look_for_challenge(acme).await {
                Err(error) if tries.again(&error).await => {}
                result => break result,
            }
        };
        match found.map_err(|error| self.failed(&format!("no authorization for {name}"), &error))? {
            None => Ok(None),
            Some(Ok(wanted)) => Ok(Some(wanted)),
            Some(Err(())) => Err(IssueError {
                message: format!(
                    "the authority offers none of the challenges that are set up for {name}"
                ),
                retry_after: None,
                temporary: false,
            }),
        }
    }

    /// Nothing where the name is validated already; an error within where no challenge suits.
    async fn look_for_challenge(
        &self,
        acme: &mut AcmeOrder,
    ) -> Result<Option<Result<Wanted, ()>>, AcmeError> {
        let mut authorizations = acme.authorizations();
        let Some(authorization) = authorizations.next().await else { return Ok(None) };
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            return Ok(None);
        }
        let offered = |kind: &&ChallengeKind| {
            authorization.challenges.iter().any(|one| one.r#type == kind.acme())
        };
        let Some(kind) = self.settings.challenges.iter().find(offered).copied() else {
            return Ok(Some(Err(())));
        };
        let challenge = authorization.challenge(kind.acme());
        Ok(challenge.map(|challenge| Ok(Wanted::of(kind, &challenge))))
    }

    async fn set_ready(&self, acme: &mut AcmeOrder, wanted: &Wanted) -> Result<(), IssueError> {
        let mut tries = Tries::new();
        let told = loop {
            match tell_ready(acme, wanted).await {
                Err(error) if tries.again(&error).await => {}
                result => break result,
            }
        };
        match told {
            // Told twice because the first answer was lost: the order says how it went.
            Ok(()) | Err(AcmeError::Api(_)) => Ok(()),
            Err(error) => Err(self.failed("the challenge cannot be answered", &error)),
        }
    }

    /// Waits until the authority has seen the answer; one it did not like is told in its own words.
    async fn until_ready(
        &self,
        account: &Account,
        acme: &mut AcmeOrder,
        name: &DnsName,
    ) -> Result<(), IssueError> {
        let mut pause = FIRST_LOOK;
        loop {
            let mut tries = Tries::new();
            let status = loop {
                match acme.refresh().await.map(|state| state.status) {
                    Err(error) if tries.again(&error).await => {}
                    result => break result,
                }
            };
            match status.map_err(|error| self.failed(&format!("no word on {name}"), &error))? {
                OrderStatus::Ready | OrderStatus::Valid => return Ok(()),
                OrderStatus::Invalid => return Err(self.invalid(account, acme, name).await),
                OrderStatus::Pending | OrderStatus::Processing => {}
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LAST_LOOK);
        }
    }

    /// Why the authority did not believe who has the name.
    async fn invalid(&self, account: &Account, acme: &AcmeOrder, name: &DnsName) -> IssueError {
        let why = async {
            let mut fresh = account.order(acme.url().to_owned()).await.ok()?;
            let mut authorizations = fresh.authorizations();
            let authorization = authorizations.next().await?.ok()?;
            authorization.challenges.iter().find_map(|challenge| challenge.error.clone())
        };
        let what = format!("the authority could not validate {name}");
        match why.await {
            Some(problem) => self.failed(&what, &AcmeError::Api(problem)),
            None => IssueError { message: what, retry_after: None, temporary: true },
        }
    }

    async fn finalize(&self, acme: &mut AcmeOrder, name: &DnsName) -> Result<Issued, IssueError> {
        let failed = |error: &AcmeError| self.failed(&format!("no certificate for {name}"), error);
        let made = KeyPair::generate().and_then(|key| {
            let mut params = CertificateParams::new(vec![name.to_string()])?;
            params.distinguished_name = DistinguishedName::new();
            let request = params.serialize_request(&key)?;
            Ok((key, request))
        });
        let (key, request) = made.map_err(|error| failed(&AcmeError::Other(error.into())))?;
        let mut tries = Tries::new();
        let asked = loop {
            match acme.finalize_csr(request.der()).await {
                Err(error) if tries.again(&error).await => {}
                result => break result,
            }
        };
        // An order that is finalised already was asked before, and the answer was lost.
        if let Err(error) = asked
            && !matches!(&error, AcmeError::Api(problem) if persist::is_order_not_ready(problem))
        {
            return Err(failed(&error));
        }
        let mut pause = FIRST_LOOK;
        let chain_pem = loop {
            let mut tries = Tries::new();
            let certificate = loop {
                match acme.certificate().await {
                    Err(error) if tries.again(&error).await => {}
                    result => break result,
                }
            };
            match certificate.map_err(|error| failed(&error))? {
                Some(chain) => break chain,
                None => tokio::time::sleep(pause).await,
            }
            pause = (pause * 2).min(LAST_LOOK);
        };
        Ok(Issued { chain_pem, key_pem: Zeroizing::new(key.serialize_pem()) })
    }

    fn failed(&self, what: &str, error: &AcmeError) -> IssueError {
        explain(what, &self.settings.directory, error)
    }

    async fn window(&self, leaf: &CertificateDer<'_>) -> Option<RenewalWindow> {
        let account = self.account().await.ok()?;
        let identifier = CertificateIdentifier::try_from(leaf).ok()?;
        let (info, _again) = account.renewal_info(&identifier).await.ok()?;
        Some(RenewalWindow {
            start: SystemTime::from(info.suggested_window.start),
            end: SystemTime::from(info.suggested_window.end),
        })
    }
}

impl Issuer for AcmeIssuer {
    fn name(&self) -> &'static str {
        "acme"
    }

    fn issue<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<Issued, IssueError>> {
        Box::pin(async move {
            let obtained = tokio::time::timeout(DEADLINE, self.obtain(order)).await;
            obtained.unwrap_or_else(|_| {
                Err(IssueError {
                    message: format!(
                        "the authority at {} gave no certificate for {} within {} s",
                        self.settings.directory,
                        order.name,
                        DEADLINE.as_secs()
                    ),
                    retry_after: None,
                    temporary: true,
                })
            })
        })
    }

    fn renewal_window<'a>(
        &'a self,
        certificate: &'a CertificateDer<'a>,
    ) -> BoxFuture<'a, Option<RenewalWindow>> {
        Box::pin(async move {
            tokio::time::timeout(WINDOW_PATIENCE, self.window(certificate)).await.ok()?
        })
    }

    fn root_pem(&self) -> Option<String> {
        None
    }
}

async fn tell_ready(acme: &mut AcmeOrder, wanted: &Wanted) -> Result<(), AcmeError> {
    let mut authorizations = acme.authorizations();
    let Some(authorization) = authorizations.next().await else { return Ok(()) };
    let mut authorization = authorization?;
    match authorization.challenge(wanted.kind.acme()) {
        Some(mut challenge) => challenge.set_ready().await,
        None => Ok(()),
    }
}

fn not_kept(error: &StoreError) -> IssueError {
    IssueError {
        message: format!("the account with the authority: {error}"),
        retry_after: None,
        temporary: true,
    }
}

/// Why an account elsewhere cannot be named.
#[derive(Debug, Error)]
#[error("the MAC key of the external account is not base64url")]
pub struct ExternalKeyError;

/// Reads a MAC key as authorities hand it out.
///
/// # Errors
///
/// [`ExternalKeyError`] when it is not base64url.
pub fn external_key(text: &str) -> Result<Zeroizing<Vec<u8>>, ExternalKeyError> {
    let text = text.trim().trim_end_matches('=');
    let decoded = data_encoding::BASE64URL_NOPAD.decode(text.as_bytes());
    decoded.map(Zeroizing::new).map_err(|_| ExternalKeyError)
}
