// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Targets of a running server: what is documented, by the command line, and what a client sees of it.

mod support;

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustix::process::Signal;
use serde_json::Value;
use support::targets::{PATIENCE, Server, exchange, host, is_ok, until};
use support::{command, text};
use tempfile::TempDir;

/// Certificates of an authority of the operator's own, in files.
struct Own {
    folder: TempDir,
    root: String,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Own {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let issuer = CertifiedIssuer::self_signed(params, key).unwrap();
        Self { folder: TempDir::new().unwrap(), root: issuer.pem(), issuer }
    }

    /// Chain and key for `name`.
    fn files(&self, name: &str) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let signed = params.signed_by(&key, &self.issuer).unwrap();
        let path = |kind: &str| self.folder.path().join(format!("{name}.{kind}"));
        let (chain, private) = (path("crt"), path("key"));
        fs::write(&chain, format!("{}{}", signed.pem(), self.root)).unwrap();
        fs::write(&private, key.serialize_pem()).unwrap();
        (chain, private)
    }

    /// The flags that update a target to a new certificate for `name`.
    fn flags(&self, name: &str) -> Vec<String> {
        let (chain, key) = self.files(name);
        ["--ssl-cname", name, "--ssl-cert-file", text(&chain), "--ssl-key-file", text(&key)]
            .map(str::to_owned)
            .to_vec()
    }
}

fn all<'a>(front: &[&'a str], flags: &'a [String]) -> Vec<&'a str> {
    front.iter().copied().chain(flags.iter().map(String::as_str)).collect()
}

#[test]
fn a_managed_target_is_made_renewed_disabled_and_enabled_and_keeps_its_name() {
    let server = Server::start(&[]);
    server.cli(&["target", "create", "aks", "--ssl-leaf-domain-label", "Contoso"]);
    let root = server.root();
    let uri = server.uri("aks");
    let name = host(&uri).to_owned();
    let port = server.https.port();
    assert_eq!(uri, format!("https://{name}:{port}/api/v1/service/aks/score"));
    let suffix = name.strip_prefix("contoso").unwrap().strip_suffix(".west.example.net").unwrap();
    assert_eq!(suffix.len(), 6);
    assert!(is_ok(&server.https(&name, &root, "/")));
    assert!(server.http(&name, "/").starts_with("HTTP/1.1 308"));

    // A valid certificate stays without renew, and changes with it; the name stays.
    let fingerprint =
        |server: &Server| server.target("aks")["certificate"]["fingerprintSha256"].clone();
    let first = fingerprint(&server);
    server.cli(&["target", "update", "aks", "--ssl-leaf-domain-label", "contoso"]);
    assert_eq!(fingerprint(&server), first);
    let documented =
        ["--ssl-leaf-domain-label", "contoso", "--ssl-overwrite-domain", "True", "--ssl-renew"];
    let spelt = ["computetarget", "update", "aks", "-g", "group", "-w", "workspace", "-n", "aks"];
    server.cli(&[&spelt[..], &documented[..]].concat());
    assert_ne!(fingerprint(&server), first);
    assert_eq!(server.uri("aks"), uri);
    assert!(is_ok(&server.https(&name, &root, "/")));

    server.cli(&[&spelt[..], &["--ssl-disable"]].concat());
    let plain = format!("http://{name}:{}/api/v1/service/aks/score", server.http.port());
    assert_eq!(server.uri("aks"), plain);
    assert!(server.http(&name, "/").starts_with("HTTP/1.1 200"));
    assert!(server.https(&name, &root, "/").is_err());

    server.cli(&["target", "update", "aks", "--ssl-leaf-domain-label", "contoso"]);
    assert_eq!(server.uri("aks"), uri);
    assert!(is_ok(&server.https(&name, &root, "/")));
}

#[test]
fn own_certificates_are_served_by_name_and_replaced() {
    let server = Server::start(&[]);
    let own = Own::new();
    let one = own.flags("one.example.com");
    server.cli(&all(
        &[
            "target",
            "create",
            "one",
            "--kind",
            "attached",
            "-g",
            "group",
            "--cluster-name",
            "cluster",
        ],
        &one,
    ));
    let wild = own.flags("*.example.org");
    let shown = server.cli(&all(&["target", "create", "wild", "--kind", "container"], &wild));
    assert!(shown.contains("*.example.org has to point at 203.0.113.7"), "{shown}");
    assert!(shown.contains("https://wild.example.org:"), "{shown}");
    for name in ["one.example.com", "a.example.org"] {
        assert!(is_ok(&server.https(name, &own.root, "/")), "{name}");
    }
    assert!(server.https("a.example.org", &server.root(), "/").is_err());
    let again = own.flags("one.example.com");
    server
        .cli(&all(&["computetarget", "update", "aks", "-g", "g", "-w", "w", "-n", "one"], &again));
    assert!(is_ok(&server.https("one.example.com", &own.root, "/")));
    let list = server.cli(&["target", "list"]);
    assert!(list.contains("one  Enabled  Succeeded  https://one.example.com"), "{list}");
    server.cli(&["target", "delete", "one"]);
    assert!(server.https("one.example.com", &own.root, "/").is_err());
}

#[test]
fn what_is_refused_changes_nothing_and_says_why() {
    let server = Server::start(&[]);
    let own = Own::new();
    let one = own.flags("one.example.com");
    server.cli(&all(&["target", "create", "one"], &one));
    let (chain, key) = own.files("two.example.com");
    let (chain, key) = (text(&chain), text(&key));
    let update = ["target", "update", "one"];
    let cases: &[(&[&str], i32, &str)] = &[
        (&["--ssl-cname", "one.example.com"], 3, "cert and key missing"),
        (&["--ssl-renew"], 3, "only a managed certificate is renewed"),
        (&["--ssl-leaf-domain-label", "a_b"], 4, "'_' is neither"),
        (&["--ssl-leaf-domain-label", ""], 3, "leafDomainLabel is empty"),
        (
            &["--ssl-cname", "three.example.com", "--ssl-cert-file", chain, "--ssl-key-file", key],
            44,
            "does not cover three.example.com",
        ),
        (
            &["--ssl-cname", "two.example.com", "--ssl-cert-file", key, "--ssl-key-file", chain],
            26,
            "swapped",
        ),
        (
            &[
                "--ssl-cname",
                "two.example.com",
                "--ssl-cert-file",
                "/nowhere",
                "--ssl-key-file",
                key,
            ],
            1,
            "/nowhere cannot be read",
        ),
        (&["--ssl-overwrite-domain", "maybe"], 2, ""),
    ];
    for (flags, code, message) in cases {
        let (found, _, error) = server.try_cli(&[&update, *flags].concat());
        assert_eq!(found, *code, "{flags:?}: {error}");
        assert!(error.contains(message), "{flags:?}: {error}");
    }
    for kind in [&["--kind", "attached"][..], &["--resource-id", "here"]] {
        let (code, _, error) = server.try_cli(&[&["target", "create", "two"], kind].concat());
        assert_eq!((code, error.contains("an attached cluster is named")), (3, true), "{error}");
    }
    let (code, _, error) = server.try_cli(&["target", "update", "none", "--ssl-disable"]);
    assert_eq!((code, error.contains("there is no target none")), (5, true), "{error}");
    assert!(is_ok(&server.https("one.example.com", &own.root, "/")));
    server.cli(&["target", "create", "other", "--ssl-leaf-domain-label", "taken"]);
    let label = ["--ssl-leaf-domain-label", "taken"];
    let (code, _, error) = server.try_cli(&[&update[..], &label[..]].concat());
    assert_eq!((code, error.contains("that of target other")), (7, true), "{error}");
}

#[test]
fn a_taken_label_is_taken_over_with_its_name() {
    let server = Server::start(&[]);
    server.cli(&["target", "create", "first", "--ssl-leaf-domain-label", "shop"]);
    let uri = server.uri("first");
    let name = host(&uri).to_owned();
    server.cli(&[
        "target",
        "create",
        "second",
        "--ssl-leaf-domain-label",
        "shop",
        "--ssl-overwrite-domain",
        "True",
    ]);
    assert_eq!(host(&server.uri("second")), name);
    assert!(is_ok(&server.https(&name, &server.root(), "/")));
    let robbed = server.target("first");
    assert_eq!(robbed["provisioningState"], "Failed", "{robbed}");
    let (code, status, _) = server.try_cli(&["status"]);
    assert_eq!(code, 14);
    assert!(status.contains("was taken over by target second"), "{status}");
}

#[test]
fn everything_is_as_it_was_after_a_restart() {
    let mut server = Server::start(&[]);
    let own = Own::new();
    let one = own.flags("one.example.com");
    server.cli(&all(&["target", "create", "one"], &one));
    server.cli(&["target", "create", "two"]);
    server.cli(&["target", "create", "three", "--ssl-disable"]);
    let (root, list) = (server.root(), server.cli(&["target", "list"]));
    server.end(Signal::TERM);
    server.run();
    assert_eq!((server.root(), server.cli(&["target", "list"])), (root.clone(), list));
    assert!(is_ok(&server.https("one.example.com", &own.root, "/")));
    let two = server.uri("two");
    assert!(is_ok(&server.https(host(&two), &root, "/")));
    assert!(server.http("203.0.113.7", "/").starts_with("HTTP/1.1 200"));
    let mode = |path: &str| fs::metadata(server.path(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode("state"), mode("state/state.redb"), mode("state/admin.sock")),
        (0o700, 0o600, 0o600)
    );
}

#[test]
fn a_thousand_updates_under_load_fail_no_request() {
    const UPDATES: usize = 1000;
    let server = Server::start(&[]);
    let own = Own::new();
    // Two authorities' certificates in turn: a client that trusts both sees either, always whole.
    let other = Own::new();
    let flags = [own.flags("one.example.com"), other.flags("one.example.com")];
    server.cli(&all(&["target", "create", "one"], &flags[0]));
    let trusted = format!("{}{}", own.root, other.root);
    let over = AtomicBool::new(false);
    let requests = thread::scope(|scope| {
        let client = || {
            let mut requests = 0;
            while !over.load(Ordering::Relaxed) {
                let answer = server.https("one.example.com", &trusted, "/");
                assert!(is_ok(&answer), "request {requests}: {answer:?}");
                requests += 1;
            }
            requests
        };
        let clients = [scope.spawn(client), scope.spawn(client)];
        {
            let _over = SetOnDrop(&over);
            for update in 1..=UPDATES {
                server.cli(&all(&["target", "update", "one"], &flags[update % 2]));
            }
        }
        clients.map(|client| client.join().unwrap()).iter().sum::<u32>()
    });
    println!("{UPDATES} updates, {requests} requests");
    assert!(requests > 0);
}

#[test]
fn changes_at_random_and_at_once_leave_no_contradiction() {
    const CLIENTS: u64 = 4;
    const CHANGES: u64 = 60;
    let seed = std::env::var("SEALGATE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| std::process::id().into());
    println!("SEALGATE_SEED={seed}");
    let server = Server::start(&[]);
    let own = Own::new();
    let certificates = [own.flags("one.example.com"), own.flags("two.example.com")];
    let (server, certificates) = (&server, &certificates);
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            scope.spawn(move || {
                for change in 0..CHANGES {
                    let mixed =
                        (seed ^ (client << 32) ^ change).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                    let pick = |among: u64, place: u32| (mixed >> place) % among;
                    let target = ["a", "b", "c"][pick(3, 20) as usize];
                    let label = ["la", "lb"][pick(2, 30) as usize];
                    let flags = &certificates[pick(2, 40) as usize];
                    let labelled =
                        ["--ssl-leaf-domain-label", label, "--ssl-overwrite-domain", "True"];
                    let arguments = match pick(7, 50) {
                        0 => [&["target", "create", target][..], &labelled].concat(),
                        1 => all(&["target", "create", target], flags),
                        2 => [&["target", "update", target][..], &labelled].concat(),
                        3 => all(&["target", "update", target], flags),
                        4 => vec!["target", "update", target, "--ssl-renew"],
                        5 => vec!["target", "update", target, "--ssl-disable"],
                        _ => vec!["target", "delete", target],
                    };
                    let (code, _, error) = server.try_cli(&arguments);
                    // Refused for what others did; never broken within.
                    assert!((0..10).contains(&code), "{arguments:?}: {code} {error}");
                    assert!(!error.contains("defect"), "{arguments:?}: {error}");
                }
            });
        }
    });
    assert!(!server.log().contains("panicked"), "{}", server.log());
    let root = format!("{}{}", server.root(), own.root);
    let list: Value = serde_json::from_str(&server.cli(&["target", "list", "--json"])).unwrap();
    let mut names = Vec::new();
    for target in list["targets"].as_array().unwrap() {
        let ssl = &target["sslConfiguration"];
        let Some(name) = ssl["cname"].as_str() else { continue };
        assert!(!names.contains(&name), "two have {name}: {list:#}");
        names.push(name);
        assert_ne!(target["provisioningState"], "Updating", "{target:#}");
        let tls = server.https(name, &root, "/");
        match ssl["status"].as_str() {
            Some("Disabled") => {
                assert!(server.http(name, "/").starts_with("HTTP/1.1 200"), "{target:#}");
            }
            _ => assert!(is_ok(&tls), "{target:#}: {tls:?}"),
        }
        if ssl["status"] == "Auto" {
            let answer = ask_a(server.dns().unwrap(), name);
            assert!(answer.windows(4).any(|octets| octets == [203, 0, 113, 7]), "{target:#}");
        }
    }
    println!("{} targets at the end", names.len());
}

#[test]
fn a_name_is_taken_as_it_is_written() {
    let server = Server::start(&[]);
    server.cli(&["target", "create", "xy", "--ssl-disable"]);
    for name in ["x/y", "x y", "xy?", "x%79", "../xy"] {
        let (code, _, error) = server.try_cli(&["target", "delete", name]);
        assert_eq!((code, error.contains("cannot name a target")), (4, true), "{name}: {error}");
    }
    server.cli(&["target", "show", "xy"]);
}

/// Lets threads that wait for it end, also where a test fails.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_server_killed_in_the_midst_of_updates_has_the_old_or_the_new_state() {
    /// Updates, in each of which the server is killed at some point.
    const KILLS: u64 = 200;
    let seed = std::env::var("SEALGATE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| std::process::id().into());
    println!("SEALGATE_SEED={seed}");
    let mut server = Server::start(&[]);
    let own = Own::new();
    let names = ["one.example.com", "two.example.com"];
    let mut present = names[0].to_owned();
    let mut changed = 0;
    server.cli(&all(&["target", "create", "one"], &own.flags(names[0])));
    for round in 0..KILLS {
        let flags = own.flags(names[usize::from(present == names[0])]);
        let socket = server.path("state/admin.sock");
        let mut update = command(&all(&["target", "update", "one"], &flags))
            .env("SEALGATE_ADMIN", socket)
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mixed = (seed ^ round).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        thread::sleep(Duration::from_micros((mixed >> 48) % 60_000));
        server.end(Signal::KILL);
        update.wait().unwrap();
        server.run();
        let target = server.target("one");
        let cname = target["sslConfiguration"]["cname"].as_str().unwrap().to_owned();
        assert!(names.contains(&cname.as_str()), "{target}");
        changed += u64::from(cname != present);
        present.clone_from(&cname);
        assert!(is_ok(&server.https(&cname, &own.root, "/")), "{target}");
        for entry in fs::read_dir(server.path("state")).unwrap() {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o077;
            assert_eq!(mode, 0, "{} is open to others", entry.path().display());
        }
    }
    println!("{changed} of {KILLS} updates had come through");
    assert!(0 < changed && changed < KILLS, "every kill came too early, or too late: {changed}");
}

#[test]
fn declared_targets_follow_their_file_and_their_certificates() {
    let own = Own::new();
    let (chain, key) = own.files("shop.example.com");
    let declared = own.folder.path().join("targets.yaml");
    let write = |targets: &str| fs::write(&declared, targets).unwrap();
    let shop = format!(
        "targets:\n  shop:\n    ssl:\n      cname: shop.example.com\n      certFile: {}\n      keyFile: {}\n",
        chain.display(),
        key.display()
    );
    write(&format!("{shop}  digits: {{}}\n"));
    let server = Server::start(&["--targets", text(&declared)]);
    until(|| {
        server.try_cli(&["status"]).1.starts_with("ready")
            && server.cli(&["target", "list"]).lines().count() == 2
    });
    until(|| is_ok(&server.https("shop.example.com", &own.root, "/")));
    let fingerprint = || server.target("shop")["certificate"]["fingerprintSha256"].clone();
    let first = fingerprint();
    own.files("shop.example.com");
    until(|| fingerprint() != first);
    write(&shop);
    until(|| server.cli(&["target", "list"]).lines().count() == 1);
    // What is no longer said of a target is as if it had never been said.
    write(&format!("{shop}  lab: {{ ssl: {{ status: Disabled }} }}\n"));
    until(|| server.cli(&["target", "list"]).contains("lab  Disabled"));
    write(&format!("{shop}  lab: {{}}\n"));
    until(|| server.cli(&["target", "list"]).contains("lab  Auto"));
    // A file that makes no sense leaves everything as it is.
    write("targets: 7\n");
    until(|| server.log().contains("does not declare targets"));
    until(|| server.try_cli(&["status"]).1.contains("does not declare targets"));
    assert!(is_ok(&server.https("shop.example.com", &own.root, "/")));
}

#[test]
fn a_mounted_secret_is_followed_when_it_is_swapped() {
    let own = Own::new();
    let mount = own.folder.path().join("mount");
    // As Kubernetes mounts secrets: one link is renamed, and both files are others at once.
    let swap = |version: &str| {
        let folder = mount.join(version);
        fs::create_dir_all(&folder).unwrap();
        let (chain, key) = own.files("shop.example.com");
        fs::copy(chain, folder.join("tls.crt")).unwrap();
        fs::copy(key, folder.join("tls.key")).unwrap();
        symlink(version, mount.join("..data_tmp")).unwrap();
        fs::rename(mount.join("..data_tmp"), mount.join("..data")).unwrap();
    };
    swap("..one");
    for file in ["tls.crt", "tls.key"] {
        symlink(Path::new("..data").join(file), mount.join(file)).unwrap();
    }
    let declared = own.folder.path().join("targets.yaml");
    let (chain, key) = (mount.join("tls.crt"), mount.join("tls.key"));
    let ssl = format!(
        "cname: shop.example.com, certFile: {}, keyFile: {}",
        chain.display(),
        key.display()
    );
    fs::write(&declared, format!("targets: {{ shop: {{ ssl: {{ {ssl} }} }} }}")).unwrap();
    let server = Server::start(&["--targets", text(&declared)]);
    until(|| is_ok(&server.https("shop.example.com", &own.root, "/")));
    let fingerprint = || server.target("shop")["certificate"]["fingerprintSha256"].clone();
    let first = fingerprint();
    swap("..two");
    until(|| fingerprint() != first);
    assert!(is_ok(&server.https("shop.example.com", &own.root, "/")));
}

#[test]
fn the_embedded_dns_server_answers_for_managed_names() {
    let server = Server::start(&[]);
    server.cli(&["target", "create", "aks"]);
    let address = server.dns().unwrap();
    let uri = server.uri("aks");
    let answer = ask_a(address, host(&uri));
    assert_eq!(answer[6..8], [0, 1], "one answer: {answer:?}");
    assert!(answer.windows(4).any(|octets| octets == [203, 0, 113, 7]), "{answer:?}");
}

/// What the DNS server at `address` answers when asked for the IPv4 address of `name` (RFC 1035, section 4).
fn ask_a(address: SocketAddr, name: &str) -> Vec<u8> {
    let mut question = vec![7, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        question.push(u8::try_from(label.len()).unwrap());
        question.extend(label.as_bytes());
    }
    question.extend([0, 0, 1, 0, 1]);
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.send_to(&question, address).unwrap();
    let mut answer = [0; 512];
    let length = socket.recv(&mut answer).unwrap();
    answer[..length].to_vec()
}

#[test]
fn the_admin_api_on_tcp_is_for_clients_with_a_certificate() {
    let own = Own::new();
    let root = own.folder.path().join("root.pem");
    fs::write(&root, &own.root).unwrap();
    let (cert, key) = own.files("localhost");
    let files = ["--admin-cert", text(&cert), "--admin-key", text(&key)];
    let server = ["--admin-listen", "127.0.0.1:0", "--admin-client-ca", text(&root)];
    let server = Server::start(&[&server[..], &files].concat());
    let port =
        server.ready()["admin_address"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
    let admin = format!("localhost:{port}");
    let show = ["target", "list", "--admin", &admin, "--admin-ca", text(&root)];
    let (code, _, error) = server.try_cli(&[&show[..], &files].concat());
    assert_eq!((code, error.as_str()), (0, ""));
    // One of another authority is no good.
    let stranger = Own::new();
    let (cert, key) = stranger.files("client");
    let files = ["--admin-cert", text(&cert), "--admin-key", text(&key)];
    let (code, _, _) = server.try_cli(&[&show[..], &files].concat());
    assert_eq!(code, 1);
    let (code, _, error) = server.try_cli(&show);
    assert_eq!((code, error.contains("--admin-cert")), (1, true), "{error}");
}

#[test]
fn those_who_overwrite_each_other_take_turns() {
    let server = Server::start(&[]);
    let create = |name: &str| {
        let label = ["--ssl-leaf-domain-label", "prize", "--ssl-overwrite-domain"];
        server.try_cli(&[&["target", "create", name][..], &label].concat())
    };
    let names: Vec<String> = (0..6).map(|number| format!("runner{number}")).collect();
    let results: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = names.iter().map(|name| scope.spawn(|| create(name))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for (code, _, error) in &results {
        // Who was overwritten in the midst of coming to be is told so.
        assert!(*code == 0 || error.contains("came in between"), "{code}: {error}");
    }
    let list = server.cli(&["target", "list"]);
    assert_eq!(list.matches("https://prize").count(), 1, "{list}");
    // A target that has lost its name is not well because nothing was asked for it.
    let loser = names.iter().find(|name| list.contains(&format!("{name}  -"))).unwrap();
    server.cli(&["target", "update", loser]);
    assert_eq!(server.target(loser)["provisioningState"], "Failed");
    assert!(server.try_cli(&["status"]).1.contains(&format!("target {loser} is not published")));
}

#[test]
fn one_of_those_who_want_a_label_at_once_gets_it() {
    let server = Server::start(&[]);
    let create = |name: &str| {
        server.try_cli(&["target", "create", name, "--ssl-leaf-domain-label", "prize"])
    };
    let names: Vec<String> = (0..6).map(|number| format!("runner{number}")).collect();
    let mut codes: Vec<i32> = thread::scope(|scope| {
        let threads: Vec<_> = names.iter().map(|name| scope.spawn(|| create(name).0)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    codes.sort_unstable();
    assert_eq!(codes, [0, 7, 7, 7, 7, 7]);
    let list = server.cli(&["target", "list"]);
    assert_eq!((list.lines().count(), list.matches("https://prize").count()), (1, 1), "{list}");
}

#[test]
fn what_is_printed_to_nobody_is_no_panic() {
    let server = Server::start(&[]);
    for (file, code, lines) in [("/dev/null", 0, 0), ("/dev/full", 1, 1)] {
        let full = fs::File::options().write(true).open(file).unwrap();
        let name = file.rsplit('/').next().unwrap();
        let output = command(&["target", "create", name])
            .env("SEALGATE_ADMIN", server.path("state/admin.sock"))
            .stdout(full)
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), error.lines().count()), (Some(code), lines), "{error}");
        assert!(server.uri(name).starts_with("https://"));
    }
}

#[test]
fn numbers_of_targets_are_for_who_may_ask_the_admin_api() {
    let server = Server::start(&[]);
    server.cli(&["target", "create", "secretly"]);
    let admin = |path: &str| {
        let mut socket = UnixStream::connect(server.path("state/admin.sock")).unwrap();
        exchange(&mut socket, "localhost", path).unwrap()
    };
    let metrics = admin("/metrics");
    for family in ["sealgate_certificate_not_after_seconds{", "sealgate_frontend_connections_total"]
    {
        assert!(metrics.contains(family), "{metrics}");
    }
    let public = server.https(host(&server.uri("secretly")), &server.root(), "/metrics").unwrap();
    assert!(public.contains("sealgate_frontend_connections_total"), "{public}");
    assert!(!public.contains("secretly"), "{public}");

    let answer = admin("/v1/targets/%ff");
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("bad-path"), "{answer}");
}

#[test]
fn only_what_makes_sense_starts() {
    let folder = TempDir::new().unwrap();
    let state = text(folder.path());
    let refuse = |arguments: &[&str], message: &str| {
        let output = command(
            &[&["serve", "--device", "none", "--listen", "127.0.0.1:0"], arguments].concat(),
        )
        .output()
        .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && stderr.contains(message), "{arguments:?}: {stderr}");
    };
    refuse(&["--redirect"], "--state");
    refuse(&["--state", state, "--zone", "nozone"], "fully qualified");
    refuse(&["--state", state, "--targets", "/nowhere"], "/nowhere cannot be read");
    let key = Path::new(state).join("key");
    fs::write(&key, "rubbish").unwrap();
    refuse(
        &["--state", state, "--dns-update", "127.0.0.1:1", "--dns-key-file", text(&key)],
        "holds no key for DNS updates",
    );
}
