// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Certificates from pebble, a real ACME server; the CA's validations are answered by the real front
//! end.

#[path = "support/names.rs"]
mod names;
#[path = "support/pebble.rs"]
mod pebble;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use names::Names;
use pebble::{Options, Pebble};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use sealgate_control::dns::Dns;
use sealgate_control::issuer::acme::{
    AcmeIssuer, AcmeSettings, ChallengeKind, Challenges, external_key,
};
use sealgate_control::issuer::{IssueError, Issued, Issuer, Order};
use sealgate_control::name::DnsName;
use sealgate_control::store::Store;
use sealgate_frontend::{
    EmbeddedModel, Gate, Metrics, Publications, Router, Server, Settings, published_config,
};
use sealgate_rustls::{Offload, TlsAcceptor};
use tempfile::TempDir;
use tokio::sync::oneshot;
use x509_parser::prelude::{FromDer, X509Certificate};

const HOST: &str = "scoreab12cd.eu.example.net";

/// Long enough for every success; a hanging test is no use.
const PATIENT: Duration = Duration::from_secs(60);

/// Reserved, so that nothing listens there.
const CLOSED_PORT: u16 = 1;

fn name(text: &str) -> DnsName {
    DnsName::parse(text).unwrap()
}

fn order(host: &str) -> Order {
    Order { name: name(host), replaces: None }
}

/// A front end without targets, names that lead to it, and a state.
struct Site {
    publications: Publications,
    names: Arc<Names>,
    folder: TempDir,
    store: Store,
    tls_port: u16,
    plain_port: u16,
    /// Dropped, it ends the front end.
    _stop: oneshot::Sender<()>,
}

impl Site {
    async fn start() -> Self {
        let publications = Publications::default();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = published_config(provider, &publications).unwrap();
        let acceptor = TlsAcceptor::new(config, Offload::without_device());
        let metrics = Metrics::new(Vec::new());
        let router = Router::new(EmbeddedModel::load().unwrap(), metrics.clone());
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let settings =
            Settings { listen: vec![any], plain_listen: vec![any], ..Settings::default() };
        let gate = Gate::new(router, publications.clone());
        let server = Server::bind(settings, acceptor, gate, metrics).await.unwrap();
        let tls_port = server.local_addrs()[0].port();
        let plain_port = server.plain_addrs()[0].port();
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(server.serve(async { drop(stopped.await) }));
        let names = Names::start(&name("eu.example.net")).await;
        let folder = TempDir::new().unwrap();
        let store = Store::open(folder.path()).unwrap();
        Self { publications, names, folder, store, tls_port, plain_port, _stop: stop }
    }

    fn options(&self) -> Options {
        Options::new(self.names.address(), self.plain_port, self.tls_port)
    }

    fn issuer(&self, pebble: &Pebble, kind: ChallengeKind) -> AcmeIssuer {
        let settings = self.settings(pebble);
        self.issuer_with(AcmeSettings { challenges: vec![kind], ..settings })
    }

    fn issuer_with(&self, settings: AcmeSettings) -> AcmeIssuer {
        let dns = Arc::clone(&self.names) as Arc<dyn Dns>;
        let challenges = Challenges { publications: self.publications.clone(), dns };
        let issuer = AcmeIssuer::new(settings, challenges, self.store.clone()).unwrap();
        issuer.with_deadline(PATIENT)
    }

    fn settings(&self, pebble: &Pebble) -> AcmeSettings {
        let root = self.folder.path().join("directory-root.pem");
        fs::write(&root, pebble.root_pem()).unwrap();
        AcmeSettings {
            directory: pebble.directory(),
            contact: vec!["operator@example.net".to_owned()],
            root: Some(root),
            external_account: None,
            challenges: ChallengeKind::ALL.to_vec(),
        }
    }

    /// What the store keeps of the account.
    fn account(&self, pebble: &Pebble) -> Vec<u8> {
        let secret = format!("acme-account/{}", pebble.directory());
        self.store.secret(&secret).unwrap().unwrap().to_vec()
    }
}

fn chain(issued: &Issued) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(issued.chain_pem.as_bytes()).map(Result::unwrap).collect()
}

/// The chain leads to pebble's root, is for `host`, and the key is its own.
fn check(pebble: &Pebble, issued: &Issued, host: &str) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    let root = pebble.issuing_root_pem();
    roots.add(CertificateDer::from_pem_slice(root.as_bytes()).unwrap()).unwrap();
    let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider.clone());
    let verifier = verifier.build().unwrap();
    let chain = chain(issued);
    let server = ServerName::try_from(host.to_owned()).unwrap();
    verifier.verify_server_cert(&chain[0], &chain[1..], &server, &[], UnixTime::now()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).unwrap();
    CertifiedKey::from_der(chain, key, &provider).unwrap().keys_match().unwrap();
}

fn refused(result: Result<Issued, IssueError>) -> IssueError {
    let error = result.err().expect("a certificate that should have been refused");
    assert!(!error.message.contains('\n'), "{error}");
    println!("{error}");
    error
}

async fn issue_by(kind: ChallengeKind) {
    let site = Site::start().await;
    let pebble = Pebble::start(site.options());
    let issued = site.issuer(&pebble, kind).issue(&order(HOST)).await.unwrap();
    check(&pebble, &issued, HOST);
    assert_eq!(site.names.txt_count(), 0);
}

#[tokio::test]
async fn pebble_issues_by_http_01() {
    issue_by(ChallengeKind::Http01).await;
}

#[tokio::test]
async fn pebble_issues_by_tls_alpn_01() {
    issue_by(ChallengeKind::TlsAlpn01).await;
}

#[tokio::test]
async fn pebble_issues_by_dns_01() {
    issue_by(ChallengeKind::Dns01).await;
}

/// The first challenge that is wanted and can be solved is taken: a name outside the zone cannot be
/// proven by the zone's records.
#[tokio::test]
async fn pebble_is_given_the_first_challenge_that_can_be_solved() {
    let site = Site::start().await;
    let pebble = Pebble::start(Options { http_port: CLOSED_PORT, ..site.options() });
    let wanted = vec![ChallengeKind::Dns01, ChallengeKind::TlsAlpn01, ChallengeKind::Http01];
    let issuer = site.issuer_with(AcmeSettings { challenges: wanted, ..site.settings(&pebble) });
    issuer.issue(&order("score.example.org")).await.unwrap();

    let dns_alone = site.issuer(&pebble, ChallengeKind::Dns01);
    let error = refused(dns_alone.issue(&order("score.example.org")).await);
    assert!(!error.temporary);
    assert!(error.message.contains("http-01, tls-alpn-01, dns-01"), "{error}");
}

#[tokio::test]
async fn pebble_keeps_one_account_across_restarts_of_ours() {
    let site = Site::start().await;
    let pebble = Pebble::start(site.options());
    site.issuer(&pebble, ChallengeKind::Http01).issue(&order(HOST)).await.unwrap();
    let account = site.account(&pebble);
    site.issuer(&pebble, ChallengeKind::Http01).issue(&order(HOST)).await.unwrap();
    assert_eq!(site.account(&pebble), account);
}

/// Orders at once: one account, all certificates, half of the nonces refused.
#[tokio::test]
async fn pebble_refuses_half_of_the_nonces() {
    let site = Site::start().await;
    let pebble = Pebble::start(Options { nonce_reject_percent: 50, ..site.options() });
    let issuers = ChallengeKind::ALL.map(|kind| site.issuer(&pebble, kind));
    let hosts: Vec<_> = (0..6).map(|n| format!("score{n}.eu.example.net")).collect();
    let orders: Vec<_> = hosts.iter().map(|host| order(host)).collect();
    let all = orders.iter().zip(issuers.iter().cycle()).map(|(order, issuer)| issuer.issue(order));
    for (issued, host) in join_all(all).await.into_iter().zip(&hosts) {
        check(&pebble, &issued.unwrap(), host);
    }
    assert_eq!(site.names.txt_count(), 0);
}

#[tokio::test]
async fn pebble_reuses_valid_authorizations() {
    let site = Site::start().await;
    let pebble = Pebble::start(Options { authorization_reuse_percent: 100, ..site.options() });
    let acme = site.issuer(&pebble, ChallengeKind::Http01);
    for _ in 0..2 {
        let issued = acme.issue(&order(HOST)).await.unwrap();
        check(&pebble, &issued, HOST);
    }
}

/// The CA is gone, and comes back having forgotten everything, our account too.
#[tokio::test]
async fn pebble_is_killed_and_comes_back() {
    let site = Site::start().await;
    let mut pebble = Pebble::start(site.options());
    let patient = site.issuer(&pebble, ChallengeKind::Dns01);
    patient.issue(&order(HOST)).await.unwrap();

    pebble.stop();
    let hasty = site.issuer(&pebble, ChallengeKind::Dns01).with_deadline(Duration::from_secs(2));
    let error = refused(hasty.issue(&order(HOST)).await);
    assert!(error.temporary);
    assert!(error.message.contains("cannot be reached"), "{error}");

    pebble.start_again();
    let issued = patient.issue(&order(HOST)).await.unwrap();
    check(&pebble, &issued, HOST);
}

/// The CA is killed while it validates: whoever waits sees it through.
#[tokio::test]
async fn pebble_is_killed_in_the_midst_of_an_order() {
    let site = Site::start().await;
    let mut pebble = Pebble::start(site.options());
    let issuer = site.issuer(&pebble, ChallengeKind::Dns01).with_deadline(Duration::from_secs(3));
    let (wanted, names) = (order(HOST), Arc::clone(&site.names));
    let mut under_way = issuer.issue(&wanted);
    // The record is there: the order has been made.
    while names.txt_count() == 0 {
        tokio::select! {
            result = &mut under_way => panic!("{:?}", result.err()),
            () = tokio::time::sleep(Duration::from_millis(1)) => {}
        }
    }
    pebble.stop();
    let error = refused(under_way.await);
    assert!(error.temporary, "{error}");
    no_record_is_left(&names).await;

    pebble.start_again();
    check(&pebble, &issuer.issue(&wanted).await.unwrap(), HOST);
}

#[tokio::test]
async fn pebble_leaves_no_record_behind_when_an_order_is_dropped() {
    let site = Site::start().await;
    let pebble = Pebble::start(site.options());
    let issuer = site.issuer(&pebble, ChallengeKind::Dns01);
    let wanted = order(HOST);
    let mut under_way = issuer.issue(&wanted);
    while site.names.txt_count() == 0 {
        tokio::select! {
            result = &mut under_way => panic!("{:?}", result.err()),
            () = tokio::time::sleep(Duration::from_millis(1)) => {}
        }
    }
    drop(under_way);
    no_record_is_left(&site.names).await;
}

/// An order that is dropped, by its deadline too, has its record removed by a task of its own.
async fn no_record_is_left(names: &Names) {
    while names.txt_count() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn pebble_requires_an_external_account() {
    let site = Site::start().await;
    let key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
    let external_accounts = [("kid-1".to_owned(), key.to_owned())].into();
    let pebble = Pebble::start(Options { external_accounts, ..site.options() });
    let with = |key_id: &str, key: &str| {
        let external_account = Some((key_id.to_owned(), external_key(key).unwrap()));
        site.issuer_with(AcmeSettings { external_account, ..site.settings(&pebble) })
    };

    let error = refused(site.issuer_with(site.settings(&pebble)).issue(&order(HOST)).await);
    assert!(!error.temporary);
    assert!(error.message.contains("configure the key id and the HMAC key"), "{error}");

    for (id, key) in [("kid-2", key), ("kid-1", "AAAA")] {
        let error = refused(with(id, key).issue(&order(HOST)).await);
        assert!(!error.temporary);
        assert!(error.message.contains("external account's key id and HMAC key"), "{error}");
        assert!(!error.message.contains(key), "{error}");
    }
    let issued = with("kid-1", key).issue(&order(HOST)).await.unwrap();
    check(&pebble, &issued, HOST);
}

#[tokio::test]
async fn pebble_refuses_a_blocked_name() {
    let site = Site::start().await;
    let blocked = vec!["blocked.example.net".to_owned()];
    let pebble = Pebble::start(Options { blocked, ..site.options() });
    let issuer = site.issuer(&pebble, ChallengeKind::Http01);
    let error = refused(issuer.issue(&order("score.blocked.example.net")).await);
    assert!(!error.temporary);
    assert!(error.message.contains("rejectedIdentifier"), "{error}");
    assert!(error.message.ends_with("choose another name or another CA"), "{error}");
}

/// What the CA finds at the name is another site: the answer that it gets is not ours.
#[tokio::test]
async fn pebble_finds_another_site_at_the_name() {
    let (site, other) = (Site::start().await, Site::start().await);
    let options = Options {
        http_port: other.plain_port,
        tls_port: other.tls_port,
        dns_server: other.names.address(),
        ..site.options()
    };
    let pebble = Pebble::start(options);
    let cases = [
        (ChallengeKind::Http01, "point the name at this sealgate"),
        (ChallengeKind::TlsAlpn01, "let port 443 of its address reach it"),
        (ChallengeKind::Dns01, "TXT record that sealgate adds"),
    ];
    for (kind, mend) in cases {
        let error = refused(site.issuer(&pebble, kind).issue(&order(HOST)).await);
        assert!(error.message.starts_with(&format!("no certificate for {HOST} from 127.0.0.1:")));
        assert!(error.message.contains(mend), "{error}");
    }
    assert_eq!(site.names.txt_count(), 0);
}

/// Nothing listens at the name.
#[tokio::test]
async fn pebble_cannot_connect_to_the_name() {
    let site = Site::start().await;
    let pebble = Pebble::start(Options { http_port: CLOSED_PORT, ..site.options() });
    let issuer = site.issuer(&pebble, ChallengeKind::Http01);
    let error = refused(issuer.issue(&order(HOST)).await);
    assert!(error.temporary);
    assert!(error.message.ends_with("let port 80 of the name's address reach sealgate"), "{error}");
}

#[tokio::test]
async fn pebble_is_not_trusted_without_its_root() {
    let site = Site::start().await;
    let pebble = Pebble::start(site.options());
    let other = Pebble::start(site.options());
    let directory = pebble.directory();
    let issuer = site.issuer_with(AcmeSettings { directory, ..site.settings(&other) });
    let error = refused(issuer.issue(&order(HOST)).await);
    assert!(!error.temporary);
    assert!(error.message.contains("give the root of the directory"), "{error}");
}

#[tokio::test]
async fn pebble_issues_certificates_of_two_minutes_and_knows_no_renewal_window() {
    let site = Site::start().await;
    let validity = Some(Duration::from_secs(120));
    let pebble = Pebble::start(Options { validity, ..site.options() });
    let acme = site.issuer(&pebble, ChallengeKind::TlsAlpn01);
    let issued = acme.issue(&order(HOST)).await.unwrap();
    let leaf = chain(&issued).remove(0);
    let validity = X509Certificate::from_der(&leaf).unwrap().1.validity().clone();
    let seconds = validity.not_after.timestamp() - validity.not_before.timestamp();
    assert!((119..=121).contains(&seconds), "{seconds}");

    assert_eq!(acme.renewal_window(&leaf).await, None);
    let again = Order { name: name(HOST), replaces: Some(leaf) };
    check(&pebble, &acme.issue(&again).await.unwrap(), HOST);
}
