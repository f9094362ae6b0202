// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `sealgate target`, and the documented spelling of its update.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::builder::NonEmptyStringValueParser;
use hyper::Method;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::admin::{AdminError, ApiClient, print};

/// Largest PEM file that is sent.
const MAX_PEM_BYTES: u64 = 1 << 20;

/// What can be done with targets.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make a target; without further flags with a managed certificate under its own name.
    Create(Create),
    /// Change how a target is published.
    Update(Update),
    /// Show a target.
    Show(Named),
    /// Show all targets.
    List(Shown),
    /// End a target and give its names back.
    Delete(Delete),
}

/// The documented spelling: `computetarget update aks -g GROUP -w WORKSPACE -n NAME`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ComputeTarget {
    /// Change how a target is published.
    #[command(subcommand)]
    Update(ComputeTargetKind),
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum ComputeTargetKind {
    /// A target that is a cluster.
    Aks(UpdateAks),
}

#[derive(Debug, clap::Args)]
pub(crate) struct UpdateAks {
    /// Name of the target.
    #[arg(short, long, value_parser = NonEmptyStringValueParser::new())]
    name: String,
    /// Taken and not used: a server is its own group.
    #[arg(short = 'g', long)]
    resource_group: Option<String>,
    /// Taken and not used: a server is its own workspace.
    #[arg(short, long)]
    workspace_name: Option<String>,
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Create {
    /// Name of the target: letters, digits and hyphens.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    name: String,
    /// Where it comes from.
    #[arg(long, value_enum, default_value_t = Kind::Provisioned)]
    kind: Kind,
    /// Group of an attached cluster.
    #[arg(short = 'g', long)]
    resource_group: Option<String>,
    /// Name of an attached cluster.
    #[arg(long)]
    cluster_name: Option<String>,
    /// Identifier of an attached cluster, in the place of group and name.
    #[arg(long, conflicts_with_all = ["resource_group", "cluster_name"])]
    resource_id: Option<String>,
    #[command(flatten)]
    change: Change,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Kind {
    Provisioned,
    Attached,
    Container,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Update {
    /// Name of the target.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    name: String,
    #[command(flatten)]
    change: Change,
}

/// What becomes of a target, and how that is told.
#[derive(Debug, clap::Args)]
struct Change {
    #[command(flatten)]
    ssl: TlsFlags,
    #[command(flatten)]
    shown: Shown,
    /// Do not wait until it is served.
    #[arg(long)]
    no_wait: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Named {
    /// Name of the target.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    name: String,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Delete {
    /// Name of the target.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    name: String,
    #[command(flatten)]
    shown: Shown,
    /// Do not wait until it is gone.
    #[arg(long)]
    no_wait: bool,
}

/// How results are shown.
#[derive(Debug, clap::Args)]
pub(crate) struct Shown {
    #[command(flatten)]
    admin: ApiClient,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// The documented flags.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_field_names, reason = "the flags are called so")]
pub(crate) struct TlsFlags {
    /// First label of a managed name; six random characters are added to it.
    #[arg(long, value_name = "LABEL")]
    ssl_leaf_domain_label: Option<String>,
    /// Take the label over when another target has it.
    #[arg(long, value_name = "True|False", num_args = 0..=1, default_missing_value = "True", value_parser = truth)]
    ssl_overwrite_domain: Option<bool>,
    /// Get a new managed certificate although the present one is valid.
    #[arg(long, value_name = "True|False", num_args = 0..=1, default_missing_value = "True", value_parser = truth)]
    ssl_renew: Option<bool>,
    /// Fully qualified name that the own certificate is for.
    #[arg(long, value_name = "NAME")]
    ssl_cname: Option<String>,
    /// Full chain of the own certificate in PEM, the server's own first.
    #[arg(long, value_name = "FILE")]
    ssl_cert_file: Option<PathBuf>,
    /// Its private key in PEM, without passphrase.
    #[arg(long, value_name = "FILE")]
    ssl_key_file: Option<PathBuf>,
    /// Publish without TLS.
    #[arg(long)]
    ssl_disable: bool,
}

fn truth(text: &str) -> Result<bool, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("neither True nor False"),
    }
}

impl TlsFlags {
    fn configuration(&self) -> Result<Value, CommandError> {
        let read = |path: &Option<PathBuf>| path.as_deref().map(read_pem).transpose();
        let (cert, key) = (read(&self.ssl_cert_file)?, read(&self.ssl_key_file)?);
        Ok(json!({
            "status": self.ssl_disable.then_some("Disabled"),
            "cert": cert.as_ref().map(|cert| cert.as_str()),
            "key": key.as_ref().map(|key| key.as_str()),
            "cname": self.ssl_cname,
            "leafDomainLabel": self.ssl_leaf_domain_label,
            "overwriteExistingDomain": self.ssl_overwrite_domain,
            "renew": self.ssl_renew,
        }))
    }
}

fn read_pem(path: &Path) -> Result<Zeroizing<String>, CommandError> {
    let failed = |source| CommandError::Read { path: path.to_owned(), source };
    let mut content = Zeroizing::new(Vec::new());
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_PEM_BYTES + 1).read_to_end(&mut content).map_err(failed)?;
    if content.len() as u64 > MAX_PEM_BYTES {
        return Err(CommandError::TooLarge { path: path.to_owned() });
    }
    // What is not UTF-8 is not PEM, and the server says so with its own code.
    Ok(Zeroizing::new(String::from_utf8_lossy(&content).into_owned()))
}

/// Does what the command says.
pub(crate) fn run(command: &Command) -> Result<(), CommandError> {
    match command {
        Command::Create(create) => {
            let mut spec = json!({
                "kind": match create.kind {
                    Kind::Provisioned => "provisioned",
                    Kind::Container => "container",
                    Kind::Attached => "attached",
                },
                "resourceGroup": create.resource_group,
                "clusterName": create.cluster_name,
                "resourceId": create.resource_id,
            });
            spec["ssl"] = create.change.ssl.configuration()?;
            let Change { shown, no_wait, .. } = &create.change;
            change(shown, Method::PUT, &create.name, Some(&spec), *no_wait)
        }
        Command::Update(Update { name, change }) => update(name, change),
        Command::Show(named) => {
            let target = named.shown.admin.ask(Method::GET, &path(&named.name), None)?;
            Ok(named.shown.target(&target)?)
        }
        Command::List(shown) => {
            let list = shown.admin.ask(Method::GET, "/v1/targets", None)?;
            let targets = list["targets"].as_array().into_iter().flatten();
            if shown.json {
                return Ok(print([format!("{list:#}")])?);
            }
            Ok(print(targets.map(line))?)
        }
        Command::Delete(delete) => {
            change(&delete.shown, Method::DELETE, &delete.name, None, delete.no_wait)
        }
    }
}

/// The same in the documented spelling.
pub(crate) fn run_computetarget(command: &ComputeTarget) -> Result<(), CommandError> {
    let ComputeTarget::Update(ComputeTargetKind::Aks(aks)) = command;
    update(&aks.name, &aks.change)
}

fn update(name: &str, asked: &Change) -> Result<(), CommandError> {
    let patch = json!({ "ssl": asked.ssl.configuration()? });
    change(&asked.shown, Method::PATCH, name, Some(&patch), asked.no_wait)
}

/// Where the admin API has a target. The name goes there as it is; whether it is one is the server's to say.
pub(crate) fn path(name: &str) -> String {
    let mut path = "/v1/targets/".to_owned();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => path.push(byte.into()),
            // Writing to a String cannot fail.
            _ => drop(write!(path, "%{byte:02X}")),
        }
    }
    path
}

fn change(
    shown: &Shown,
    method: Method,
    name: &str,
    body: Option<&Value>,
    no_wait: bool,
) -> Result<(), CommandError> {
    let deleted = method == Method::DELETE;
    let operation = shown.admin.ask(method, &path(name), body)?;
    if no_wait {
        let runs = format!("operation {} runs", operation["id"].as_str().unwrap_or_default());
        return Ok(print([if shown.json { format!("{operation:#}") } else { runs }])?);
    }
    let ended = shown.admin.wait(&operation)?;
    for warning in ended["warnings"].as_array().into_iter().flatten() {
        eprintln!("warning: {}", warning.as_str().unwrap_or_default());
    }
    if deleted {
        return Ok(print(shown.json.then(|| format!("{ended:#}")))?);
    }
    let target = shown.admin.ask(Method::GET, &path(name), None)?;
    Ok(shown.target(&target)?)
}

impl Shown {
    pub(crate) fn admin(&self) -> &ApiClient {
        &self.admin
    }

    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    fn target(&self, target: &Value) -> Result<(), AdminError> {
        if self.json {
            return print([format!("{target:#}")]);
        }
        let mut lines = vec![line(target)];
        let certificate = &target["certificate"];
        if let Some(until) = certificate["notAfter"].as_str() {
            let issuer = certificate["issuer"].as_str().unwrap_or_default();
            let renewed = certificate["renewAt"].as_str();
            let renewed = renewed.map(|at| format!(", renewed at {at}")).unwrap_or_default();
            lines.push(format!("  certificate by {issuer}, until {until}{renewed}"));
        }
        let ssl = &target["sslConfiguration"];
        if let (Some("Enabled"), Some(cname)) = (ssl["status"].as_str(), ssl["cname"].as_str()) {
            let addresses = target["addresses"].as_array().into_iter().flatten();
            let addresses: Vec<_> = addresses.filter_map(Value::as_str).collect();
            let addresses = addresses.join(" and ");
            let check = "`sealgate dns check` tells";
            lines.push(format!("  {cname} has to point at {addresses}: {check}"));
        }
        if let Some(error) = target["lastError"].as_str() {
            lines.push(format!("  last change failed: {error}"));
        }
        print(lines)
    }
}

fn line(target: &Value) -> String {
    let field = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let name = field(&target["name"]);
    let status = field(&target["sslConfiguration"]["status"]);
    let state = field(&target["provisioningState"]);
    format!("{name}  {status}  {state}  {}", field(&target["scoringUri"]))
}

/// Why the command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error(transparent)]
    ApiClient(#[from] AdminError),
    #[error("{} cannot be read", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} is larger than 1 MiB: it should hold a certificate chain or a key in PEM", path.display())]
    TooLarge { path: PathBuf },
}

impl CommandError {
    /// What the program ends with.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::ApiClient(error) => error.exit_code(),
            Self::Read { .. } | Self::TooLarge { .. } => 1,
        }
    }
}
