// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Certificates from a CA that speaks ACME (RFC 8555).

mod account;
mod challenge;
mod client;
mod patience;
mod trouble;

use std::fmt;
use std::mem;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use instant_acme::{
    Account, AuthorizationHandle, AuthorizationStatus, CertificateIdentifier, Error, Identifier,
    NewOrder, Order as AcmeOrder, OrderStatus,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use rustls_pki_types::CertificateDer;
use thiserror::Error as ThisError;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use self::account::Accounts;
use self::client::Client;
use self::patience::{Patience, patiently};
use self::trouble::{Failure, Refusal, Step, Trouble};
use super::{IssueError, Issued, Issuer, Order, RenewalWindow};
use crate::name::DnsName;
use crate::store::Store;

pub use self::challenge::{ChallengeKind, Challenges};

/// How long getting one certificate may take unless [`AcmeIssuer::with_deadline`] says otherwise.
pub const ISSUE_DEADLINE: Duration = Duration::from_secs(300);

/// How long asking for a renewal window may take.
const RENEWAL_INFO_DEADLINE: Duration = Duration::from_secs(60);

/// Which CA, and how. Who sets it agrees to the CA's terms of service.
pub struct AcmeSettings {
    /// URL of its directory (RFC 8555, section 7.1.1).
    pub directory: String,
    /// Where it may write to: e-mail addresses, or URIs that it takes.
    pub contact: Vec<String>,
    /// File with the roots, in PEM, that the directory's own certificate is verified with, in the
    /// place of the system's.
    pub root: Option<PathBuf>,
    /// Key identifier and MAC key of an account elsewhere (RFC 8555, section 7.3.4), see
    /// [`external_key`].
    pub external_account: Option<(String, Zeroizing<Vec<u8>>)>,
    /// How to show who has a name, the preferred first: the first that is offered and can be solved
    /// is taken.
    pub challenges: Vec<ChallengeKind>,
}

/// What is wrong with the settings.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum AcmeSettingsError {
    /// The directory is no URL with https.
    #[error(
        "{0:?} is no ACME directory: give its URL, such as https://ca.example.com/acme/directory"
    )]
    Directory(String),
    /// No such challenge.
    #[error("{0:?} is no challenge: choose among http-01, tls-alpn-01 and dns-01")]
    Challenge(String),
    /// No challenge is allowed.
    #[error("no challenge is allowed: allow http-01, tls-alpn-01 or dns-01")]
    NoChallenge,
    /// The MAC key cannot be decoded.
    #[error("the MAC key of the external account is not base64url: give it as the CA shows it")]
    MacKey,
    /// The root of the directory is not one.
    #[error("{} is no root of an ACME directory ({why}): give one in PEM", path.display())]
    Root {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// No trust can be had.
    #[error(
        "this system has no roots to verify the ACME directory with: install them (package ca-certificates), or give the directory's own: {0}"
    )]
    Trust(String),
}

/// Reads a MAC key as CAs hand it out: in base64url, some of them padded.
///
/// # Errors
///
/// [`AcmeSettingsError::MacKey`] when it is not that.
pub fn external_key(text: &str) -> Result<Zeroizing<Vec<u8>>, AcmeSettingsError> {
    let text = text.trim().trim_end_matches('=');
    let key = data_encoding::BASE64URL_NOPAD.decode(text.as_bytes());
    let key = key.ok().filter(|key| !key.is_empty()).ok_or(AcmeSettingsError::MacKey)?;
    Ok(Zeroizing::new(key))
}

/// A CA that speaks ACME.
///
/// Every request is made again, exponentially later and with jitter, when the CA cannot be reached,
/// has a fault or refuses a nonce. A rate limit ends the order at once, as one that may succeed
/// later. Answers to challenges are taken back in the end, and also when a future is dropped.
pub struct AcmeIssuer {
    accounts: Accounts,
    challenges: Challenges,
    /// The preferred first.
    kinds: Vec<ChallengeKind>,
    deadline: Duration,
    /// The host of the directory, as messages name the CA.
    host: String,
}

impl fmt::Debug for AcmeIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcmeIssuer").field("host", &self.host).finish_non_exhaustive()
    }
}

impl AcmeIssuer {
    /// An issuer whose account is kept in `store`. The CA is first asked when a certificate is.
    ///
    /// # Errors
    ///
    /// [`AcmeSettingsError`] when the settings cannot work.
    pub fn new(
        settings: AcmeSettings,
        challenges: Challenges,
        store: Store,
    ) -> Result<Self, AcmeSettingsError> {
        let url = settings.directory.parse::<hyper::Uri>().ok();
        let url = url.filter(|url| url.scheme_str() == Some("https"));
        let host = url.as_ref().and_then(hyper::Uri::authority).map(ToString::to_string);
        let host = host.ok_or_else(|| AcmeSettingsError::Directory(settings.directory.clone()))?;
        if settings.challenges.is_empty() {
            return Err(AcmeSettingsError::NoChallenge);
        }
        let client = Client::new(settings.root.as_deref())?;
        let accounts = Accounts::new(client, &settings, store);
        let kinds = settings.challenges;
        Ok(Self { accounts, challenges, kinds, deadline: ISSUE_DEADLINE, host })
    }

    /// Gives each certificate so much time in all, in the place of [`ISSUE_DEADLINE`].
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    async fn issue_in_time(&self, order: &Order) -> Result<Issued, IssueError> {
        let deadline = Instant::now() + self.deadline;
        let patience = Patience::until(deadline);
        let issued = timeout_at(deadline, self.get(order, &patience)).await;
        let issued = issued.unwrap_or_else(|_| Err(Trouble::Slow(None).at(Step::Order)));
        issued.map_err(|failure| failure.tell(&order.name, &self.host))
    }

    async fn get(&self, wanted: &Order, patience: &Patience) -> Result<Issued, Failure> {
        let account = self.accounts.open(patience).await?;
        let mut order = match order_replacing(&account, wanted, patience).await {
            Err(trouble) if trouble.is("accountDoesNotExist") => {
                let account = self.accounts.renew(&account, patience).await?;
                order_replacing(&account, wanted, patience).await
            }
            other => other,
        }
        .map_err(|trouble| trouble.at(Step::Order))?;
        self.prove(&mut order, &wanted.name, patience).await?;
        let issued = finish(&mut order, &wanted.name, patience).await;
        issued.map_err(|trouble| trouble.at(Step::Finalize))
    }

    /// Solves the challenge of the order's one name, and waits until the CA has seen that.
    async fn prove(
        &self,
        order: &mut AcmeOrder,
        name: &DnsName,
        patience: &Patience,
    ) -> Result<(), Failure> {
        let at_order = |trouble: Trouble| trouble.at(Step::Order);
        // Loads it, so that it is there at the next call.
        patiently!(patience, load_authorization(order).await).map_err(at_order)?;
        let mut authorizations = order.authorizations();
        let Some(authorization) = authorizations.next().await else { return Ok(()) };
        let mut authorization = authorization.map_err(|error| at_order(error.into()))?;
        if authorization.status == AuthorizationStatus::Valid {
            return Ok(());
        }
        let kind = self.choose(&authorization, name).map_err(at_order)?;
        let at_validation = |trouble: Trouble| trouble.at(Step::Validate(kind));
        let Some(mut challenge) = authorization.challenge(kind.into()) else { return Ok(()) };
        let solution =
            self.challenges.solve(kind, name, &challenge).await.map_err(at_validation)?;
        let mut tries = 0;
        let mut proven = patiently!(patience, {
            tries += 1;
            match challenge.set_ready().await {
                // It may have heard us the first time; the state of the order will tell.
                Err(error) if tries > 1 && already_ready(&error) => Ok(()),
                other => other,
            }
        });
        if proven.is_ok() {
            proven = validated(order, patience).await;
        }
        solution.remove().await;
        proven.map_err(at_validation)
    }

    /// The first challenge that is wanted, offered and can be solved.
    fn choose(
        &self,
        authorization: &AuthorizationHandle<'_>,
        name: &DnsName,
    ) -> Result<ChallengeKind, Trouble> {
        let is_offered = |kind: &ChallengeKind| {
            authorization.challenges.iter().any(|offer| offer.r#type == (*kind).into())
        };
        let usable =
            |kind: &ChallengeKind| is_offered(kind) && self.challenges.can_solve(*kind, name);
        self.kinds.iter().copied().find(usable).ok_or_else(|| {
            let known = ChallengeKind::ALL.into_iter().filter(is_offered);
            let known: Vec<_> = known.map(ChallengeKind::as_str).collect();
            Trouble::NoChallenge(known.join(", "))
        })
    }

    async fn window(&self, certificate: &CertificateDer<'_>) -> Option<RenewalWindow> {
        let id = CertificateIdentifier::try_from(certificate).ok()?;
        let patience = Patience::until(Instant::now() + RENEWAL_INFO_DEADLINE);
        let account = self.accounts.known(&patience).await.ok()??;
        let info = patiently!(patience, account.renewal_info(&id).await);
        let suggested = info.ok()?.0.suggested_window;
        let (start, end) = (SystemTime::from(suggested.start), SystemTime::from(suggested.end));
        // A window that ends before it begins is none (RFC 9773, section 4.2).
        (start < end).then_some(RenewalWindow { start, end })
    }
}

impl Issuer for AcmeIssuer {
    fn name(&self) -> &'static str {
        "acme"
    }

    fn issue<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<Issued, IssueError>> {
        self.issue_in_time(order).boxed()
    }

    fn renewal_window<'a>(
        &'a self,
        certificate: &'a CertificateDer<'a>,
    ) -> BoxFuture<'a, Option<RenewalWindow>> {
        async move {
            let deadline = Instant::now() + RENEWAL_INFO_DEADLINE;
            timeout_at(deadline, self.window(certificate)).await.ok().flatten()
        }
        .boxed()
    }

    fn root_pem(&self) -> Option<String> {
        None
    }
}

/// Orders, saying what is replaced (RFC 9773, section 5) where the CA takes that.
async fn order_replacing(
    account: &Account,
    wanted: &Order,
    patience: &Patience,
) -> Result<AcmeOrder, Trouble> {
    let names = [Identifier::Dns(wanted.name.to_string())];
    let replaced = wanted.replaces.as_ref();
    if let Some(id) = replaced.and_then(|old| CertificateIdentifier::try_from(old).ok()) {
        let order = NewOrder::new(&names).replaces(id);
        let trouble = match patiently!(patience, account.new_order(&order).await) {
            Ok(order) => return Ok(order),
            Err(trouble) => trouble,
        };
        // To say what is replaced is a courtesy: a CA that does not know the extension, or the old
        // certificate, is asked without.
        if !trouble.may_be_of_the_extension() {
            return Err(trouble);
        }
        tracing::debug!(%trouble, "the CA is not told what is replaced");
    }
    let order = NewOrder::new(&names);
    patiently!(patience, account.new_order(&order).await)
}

/// Fetches the only authorization of an order for one name; from then on the order has it.
async fn load_authorization(order: &mut AcmeOrder) -> Result<(), Error> {
    let none = || Err(Error::Str("the order has no authorization"));
    order.authorizations().next().await.unwrap_or_else(none).map(drop)
}

fn already_ready(error: &Error) -> bool {
    let Error::Other(inner) = error else { return false };
    inner.downcast_ref::<Trouble>().is_some_and(|trouble| trouble.is("malformed"))
}

/// Waits until the CA has validated.
async fn validated(order: &mut AcmeOrder, patience: &Patience) -> Result<(), Trouble> {
    match patiently!(patience, order.poll_ready(&patience.poll()).await) {
        Ok(OrderStatus::Ready) => Ok(()),
        Ok(_) => Err(Trouble::Refused(reason(order, patience).await.unwrap_or_default())),
        // The challenge knows better than the order why it failed.
        Err(Trouble::Refused(refusal)) => {
            Err(Trouble::Refused(reason(order, patience).await.unwrap_or(refusal)))
        }
        Err(other) => Err(other),
    }
}

/// What the CA found wrong with a challenge.
async fn reason(order: &mut AcmeOrder, patience: &Patience) -> Option<Refusal> {
    patiently!(patience, challenge_error(order).await).ok().flatten()
}

async fn challenge_error(order: &mut AcmeOrder) -> Result<Option<Refusal>, Error> {
    let mut authorizations = order.authorizations();
    let Some(authorization) = authorizations.next().await else { return Ok(None) };
    let mut authorization = authorization?;
    let state = authorization.refresh().await?;
    let error = state.challenges.iter().find_map(|challenge| challenge.error.clone());
    Ok(error.map(Refusal::from))
}

/// Has the certificate made for a new key, and fetches it.
async fn finish(
    order: &mut AcmeOrder,
    name: &DnsName,
    patience: &Patience,
) -> Result<Issued, Trouble> {
    let make = || -> Result<_, rcgen::Error> {
        let key = Zeroizing::new(KeyPair::generate()?);
        let mut params = CertificateParams::new([name.to_string()])?;
        params.distinguished_name = DistinguishedName::new();
        let request = params.serialize_request(&*key)?;
        Ok((key, request))
    };
    let (key, request) = make().map_err(|error| Trouble::Make(error.to_string()))?;
    let mut asked = false;
    patiently!(patience, finalize(order, request.der(), &mut asked).await)?;
    let chain_pem = patiently!(patience, order.poll_certificate(&patience.poll()).await)?;
    Ok(Issued { chain_pem, key_pem: Zeroizing::new(key.serialize_pem()) })
}

/// Asks for the certificate, unless the CA heard us the last time and we did not hear it.
async fn finalize(order: &mut AcmeOrder, request: &[u8], asked: &mut bool) -> Result<(), Error> {
    if mem::replace(asked, true) {
        order.refresh().await?;
    }
    match order.state().status {
        OrderStatus::Processing | OrderStatus::Valid => Ok(()),
        _ => order.finalize_csr(request).await,
    }
}
