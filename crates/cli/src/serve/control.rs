// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The control plane of `sealgate serve --state`: put together from its flags.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sealgate_control::api::{self, AdminListener, ListenError, Router};
use sealgate_control::controller::{ControlError, Controller, Parts, Settings};
use sealgate_control::declared::{Declared, DeclaredError};
use sealgate_control::dns::embedded::{EmbeddedDns, Settings as DnsSettings, StartError};
use sealgate_control::dns::tsig::{KeyError, TsigKey};
use sealgate_control::dns::update::UpdateDns;
use sealgate_control::dns::{Dns, DnsError};
use sealgate_control::issuer::Issuer;
use sealgate_control::issuer::acme::{
    AcmeIssuer, AcmeSettings, AcmeSettingsError, ChallengeKind, Challenges, external_key,
};
use sealgate_control::issuer::development::{
    AuthorityError, DEFAULT_VALIDITY, DevelopmentAuthority,
};
use sealgate_control::name::{DnsName, NameError};
use sealgate_control::proof::Prover;
use sealgate_control::store::{Store, StoreError};
use sealgate_frontend::{Certificate, CertificateError, Metrics, Publications};
use tokio::task::JoinSet;
use tracing::{error, info, warn};
use zeroize::Zeroizing;

use super::follow::follow_targets;
use crate::admin::addresses_of;

/// What the development authority keeps, in the store.
const ROOT: &str = "development-root";
const ROOT_KEY: &str = "development-root-key";

/// Flags that go with `--state`.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Targets and their certificates")]
pub(super) struct ControlArguments {
    /// Folder of the state: targets come, change and go at run time, by `sealgate target` and the admin API.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["tls_cert", "tls_key", "dev_cert"])]
    pub(super) state: Option<PathBuf>,
    /// Address to listen on without TLS, for targets whose TLS is disabled, redirects and HTTP-01; may be given several
    /// times.
    #[arg(long, value_name = "IP:PORT", requires = "state")]
    pub(super) http_listen: Vec<SocketAddr>,
    /// Send plain requests for targets with TLS on to https; without it they are refused.
    #[arg(long, requires_all = ["state", "http_listen"])]
    redirect: bool,
    /// Tell browsers to come by https alone for so many seconds (HSTS): they do not reach a target whose TLS is disabled
    /// before that.
    #[arg(long, value_name = "SECONDS", requires = "state")]
    pub(super) hsts_seconds: Option<u32>,
    /// Address that names should point at; may be given several times. Default: those of --listen.
    #[arg(long, value_name = "IP", requires = "state")]
    address: Vec<IpAddr>,
    /// Port in URIs and redirects with TLS, where something forwards it to --listen. Default: that of --listen.
    #[arg(long, value_name = "PORT", requires = "state", value_parser = clap::value_parser!(u16).range(1..))]
    https_port: Option<u16>,
    /// The same without TLS.
    #[arg(long, value_name = "PORT", requires = "state", value_parser = clap::value_parser!(u16).range(1..))]
    http_port: Option<u16>,
    /// Zone of managed names, which are LABEL######.REGION.ZONE.
    #[arg(long, value_name = "NAME", default_value = "sealgate.test", requires = "state")]
    zone: String,
    /// Region in managed names.
    #[arg(long, value_name = "LABEL", default_value = "local", requires = "state")]
    region: String,
    /// Address of the embedded DNS server for the zone. Default: it listens on a free port of 127.0.0.1.
    #[arg(long, value_name = "IP:PORT", requires = "state", conflicts_with = "dns_update")]
    dns_listen: Option<SocketAddr>,
    /// DNS server that has the zone, in the place of the embedded one; it gets signed updates (RFC 2136).
    #[arg(long, value_name = "IP:PORT", requires_all = ["state", "dns_key_file"])]
    dns_update: Option<SocketAddr>,
    /// Key of those updates (TSIG): NAME:hmac-sha256:SECRET, or what tsig-keygen and keymgr -t write.
    #[arg(long, value_name = "FILE", requires = "dns_update")]
    dns_key_file: Option<PathBuf>,
    /// Days that certificates of the development authority are valid.
    #[arg(long, value_name = "DAYS", requires = "state", value_parser = clap::value_parser!(u16).range(1..))]
    development_days: Option<u16>,
    /// Authority that speaks ACME, by the URL of its directory, in the place of the development authority. Its terms are
    /// agreed to by that.
    #[arg(long, value_name = "URL", requires = "state", conflicts_with = "development_days")]
    acme_directory: Option<String>,
    /// Address to tell the authority, such as mailto:admin@example.com; may be given several times.
    #[arg(long, value_name = "URI", requires = "acme_directory")]
    acme_contact: Vec<String>,
    /// Root of the authority's own HTTPS, in PEM. Default: those that the system trusts.
    #[arg(long, value_name = "FILE", requires = "acme_directory")]
    acme_root: Option<PathBuf>,
    /// How to show who has a name, the preferred first: http-01, tls-alpn-01 or dns-01.
    #[arg(
        long,
        value_name = "CHALLENGE",
        value_delimiter = ',',
        default_value = "tls-alpn-01,http-01,dns-01",
        requires = "acme_directory"
    )]
    acme_challenge: Vec<ChallengeKind>,
    /// Key identifier of an account elsewhere that the authority asks for.
    #[arg(long, value_name = "ID", requires_all = ["acme_directory", "acme_eab_key_file"])]
    acme_eab_id: Option<String>,
    /// Its MAC key, in base64url.
    #[arg(long, value_name = "FILE", requires = "acme_eab_id")]
    acme_eab_key_file: Option<PathBuf>,
    /// File of declared targets in YAML; the server is brought to it, again whenever it or a file it names changes.
    #[arg(long, value_name = "FILE", requires = "state")]
    targets: Option<PathBuf>,
    /// Socket of the admin API. Default: admin.sock in the folder of the state.
    #[arg(long, value_name = "SOCKET", requires = "state")]
    admin_socket: Option<PathBuf>,
    /// Address of the admin API over TCP, for clients with a certificate.
    #[arg(long, value_name = "IP:PORT", requires_all = ["state", "admin_cert", "admin_key", "admin_client_ca"])]
    admin_listen: Option<SocketAddr>,
    /// Certificate chain of the admin API over TCP, in PEM.
    #[arg(long, value_name = "FILE", requires = "admin_listen")]
    admin_cert: Option<PathBuf>,
    /// Its private key, in PEM.
    #[arg(long, value_name = "FILE", requires = "admin_listen")]
    admin_key: Option<PathBuf>,
    /// Authority of the clients of the admin API, in PEM.
    #[arg(long, value_name = "FILE", requires = "admin_listen")]
    admin_client_ca: Option<PathBuf>,
}

/// The control plane while it runs; it ends when dropped.
pub(super) struct Control {
    pub(super) admin_socket: PathBuf,
    pub(super) admin_listen: Option<SocketAddr>,
    pub(super) dns: Option<SocketAddr>,
    _tasks: JoinSet<()>,
}

impl ControlArguments {
    /// Starts everything: what is kept is published before this returns.
    pub(super) async fn start(
        &self,
        state: &Path,
        publications: &Publications,
        https: &[SocketAddr],
        http: &[SocketAddr],
        metrics: &Metrics,
    ) -> Result<Control, ControlStartError> {
        let store = Store::open(state)?;
        let zone = DnsName::parse(&self.zone)?;
        let domain = DnsName::parse(&format!("{}.{zone}", self.region))?;
        let addresses =
            if self.address.is_empty() { addresses_of(https) } else { self.address.clone() };
        if addresses.is_empty() {
            warn!(
                "names point nowhere: the server listens on every address and no --address says which the world knows"
            );
        }
        let (dns, dns_address) = self.dns(zone.clone(), &addresses).await?;
        let challenges = Challenges { publications: publications.clone(), dns: Arc::clone(&dns) };
        let issuer = self.issuer(challenges, &store, &zone)?;
        let listening = *https.first().ok_or(ControlStartError::NoListener)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let settings = Settings {
            domain,
            addresses,
            redirect: self.redirect,
            https_port: self.https_port.unwrap_or(listening.port()),
            http_port: self.http_port.or(http.first().map(SocketAddr::port)),
        };
        let prover = Prover::new(listening, Arc::clone(&provider));
        let publications = publications.clone();
        let parts = Parts { store, publications, issuer, dns, prover };
        let controller = Controller::start(parts, settings)?;
        let api = api::router(controller.clone(), metrics);

        let mut tasks = JoinSet::new();
        let admin_socket = self.admin_socket.clone().unwrap_or_else(|| state.join("admin.sock"));
        serve_api(&mut tasks, AdminListener::unix(&admin_socket)?, api.clone());
        let admin_listen = self.serve_tls(&mut tasks, api, provider).await?;
        tasks.spawn(controller.clone().tend_names_for_ever());
        tasks.spawn(controller.clone().renew_for_ever());
        tasks.spawn(controller.clone().ask_windows_for_ever());
        tasks.spawn(controller.clone().warn_for_ever());
        if let Some(path) = self.targets.clone() {
            // What is wrong at the start is told at once; later it is logged.
            Declared::read(&path)?;
            tasks.spawn(follow_targets(controller, path));
        }
        Ok(Control { admin_socket, admin_listen, dns: dns_address, _tasks: tasks })
    }

    async fn dns(
        &self,
        zone: DnsName,
        addresses: &[IpAddr],
    ) -> Result<(Arc<dyn Dns>, Option<SocketAddr>), ControlStartError> {
        if let (Some(server), Some(key)) = (self.dns_update, &self.dns_key_file) {
            let key = TsigKey::read(key)?;
            return Ok((Arc::new(UpdateDns::new(zone, server, key)?), None));
        }
        let address = self.dns_listen.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let settings = DnsSettings {
            listen: vec![address],
            name_server_addresses: addresses.to_vec(),
            ..DnsSettings::default()
        };
        let dns = EmbeddedDns::start(zone.clone(), &settings).await?;
        let address = dns.addresses().first().copied();
        info!(%zone, ?address, "answering DNS for the zone");
        Ok((Arc::new(dns), address))
    }

    fn issuer(
        &self,
        challenges: Challenges,
        store: &Store,
        zone: &DnsName,
    ) -> Result<Arc<dyn Issuer>, ControlStartError> {
        let Some(directory) = &self.acme_directory else {
            return Ok(Arc::new(self.development(store, zone)?));
        };
        let settings = self.acme(directory.clone())?;
        Ok(Arc::new(AcmeIssuer::new(settings, challenges, store.clone())?))
    }

    /// The development authority, the same as before where there is one for this zone.
    fn development(
        &self,
        store: &Store,
        zone: &DnsName,
    ) -> Result<DevelopmentAuthority, ControlStartError> {
        let days =
            self.development_days.map(|days| Duration::from_secs(u64::from(days) * 24 * 3600));
        let validity = days.unwrap_or(DEFAULT_VALIDITY);
        let (root, key) = (format!("{ROOT}/{zone}"), format!("{ROOT_KEY}/{zone}"));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if let (Some(root), Some(key)) = (store.secret(&root)?, store.secret(&key)?) {
            let key = Zeroizing::new(text(&key));
            match DevelopmentAuthority::from_pem(text(&root), key, validity) {
                Err(AuthorityError::Expired) => warn!(
                    "the root of the development authority is past its end: there is a new one, to be given to the clients"
                ),
                taken_up => return Ok(taken_up?),
            }
        }
        let authority = DevelopmentAuthority::new(zone, validity)?;
        let (root_pem, key_pem) = authority.to_pem();
        // The key first: a root without its key is made anew.
        store.keep_secret(&key, key_pem.as_bytes())?;
        store.keep_secret(&root, root_pem.as_bytes())?;
        Ok(authority)
    }

    fn acme(&self, directory: String) -> Result<AcmeSettings, ControlStartError> {
        let external_account = match (&self.acme_eab_id, &self.acme_eab_key_file) {
            (Some(id), Some(path)) => {
                let unreadable =
                    |source| ControlStartError::ExternalKeyFile { path: path.clone(), source };
                let text = std::fs::read_to_string(path).map(Zeroizing::new).map_err(unreadable)?;
                Some((id.clone(), external_key(&text)?))
            }
            _ => None,
        };
        Ok(AcmeSettings {
            directory,
            contact: self.acme_contact.clone(),
            root: self.acme_root.clone(),
            external_account,
            challenges: self.acme_challenge.clone(),
        })
    }

    async fn serve_tls(
        &self,
        tasks: &mut JoinSet<()>,
        api: Router,
        provider: Arc<rustls::crypto::CryptoProvider>,
    ) -> Result<Option<SocketAddr>, ControlStartError> {
        let (Some(address), Some(chain), Some(key), Some(clients)) =
            (self.admin_listen, &self.admin_cert, &self.admin_key, &self.admin_client_ca)
        else {
            return Ok(None);
        };
        let certificate = Certificate::load(chain, key)?;
        let listener = AdminListener::tls(address, &certificate, clients, provider).await?;
        let address = listener.local_addr();
        serve_api(tasks, listener, api);
        Ok(address)
    }
}

fn serve_api(tasks: &mut JoinSet<()>, listener: AdminListener, api: Router) {
    tasks.spawn(async move {
        if let Err(error) = listener.serve(api).await {
            error!(%error, "the admin API has ended");
        }
    });
}

/// Why the control plane does not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlStartError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the zone and the region make no name")]
    Zone(#[from] NameError),
    #[error("the server listens nowhere with TLS")]
    NoListener,
    #[error(transparent)]
    Dns(#[from] StartError),
    #[error(transparent)]
    DnsZone(#[from] DnsError),
    #[error(transparent)]
    DnsKey(#[from] KeyError),
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    #[error("the MAC key in {} cannot be read", path.display())]
    ExternalKeyFile { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Acme(#[from] AcmeSettingsError),
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error("the certificate of the admin API cannot be used")]
    AdminCertificate(#[from] CertificateError),
    #[error(transparent)]
    Declared(#[from] DeclaredError),
}
