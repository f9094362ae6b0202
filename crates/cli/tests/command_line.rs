// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What is refused, with which words and which exit code.

mod support;

use std::fs;
use std::net::TcpListener;

use tempfile::TempDir;

use support::{error_line, failure, sealgate, text};

#[test]
fn the_version_is_told() {
    let output = sealgate(&["--version"]);
    assert!(output.status.success());
    let expected = concat!("sealgate ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(String::from_utf8(output.stdout).expect("UTF-8"), expected);
}

#[test]
fn wrong_use_exits_with_2_and_names_what_is_wrong() {
    for (arguments, named) in [
        (&[][..], "Usage"),
        (&["fly"], "fly"),
        (&["serve", "--colour", "red"], "--colour"),
        (&["serve", "--device", "sim:magic"], "sim:rtl, sim:rtl:4x512, sim:model, auto or none"),
        (&["serve", "--device", "pci:3b:00.0"], "pci:0000:3b:00.0"),
        (&["device", "bind"], "<ADDRESS>"),
        (&["device", "poke", "SNAPSHOT", "many"], "0x1"),
        (&["serve", "--listen", "localhost"], "--listen"),
        (&["serve", "--software-below", "1k"], "measured"),
        (&["serve", "--drain-seconds", "soon"], "--drain-seconds"),
        (&["serve", "--tls-cert", "cert.pem"], "--tls-key"),
        (&["serve", "--tls-key", "key.pem"], "--tls-cert"),
        (&["serve", "--tls-cert", "c", "--tls-key", "k", "--dev-cert", "d"], "cannot be used with"),
        (&["device", "info", "--json", "--yaml"], "--yaml"),
        (&["device", "stats", "--server", "127.0.0.1:1"], "--cert"),
        (&["device", "stats", "--interval", "0"], "0.01 to 86400"),
    ] {
        let stderr = failure(arguments, 2);
        assert!(stderr.contains(named), "{arguments:?}: {stderr}");
    }
}

#[test]
fn a_missing_file_is_named_with_its_cause() {
    let arguments = ["serve", "--tls-cert", "/nowhere/cert.pem", "--tls-key", "/nowhere/key.pem"];
    let line = error_line(&arguments);
    assert!(line.starts_with("sealgate: "), "{line}");
    assert!(line.contains("/nowhere/cert.pem") && line.contains("No such file"), "{line}");
}

#[test]
fn a_file_that_cannot_be_written_is_named_with_its_cause() {
    for option in ["--dev-cert", "--ready-file"] {
        let arguments = ["serve", "--listen", "127.0.0.1:0", option, "/nowhere/file"];
        let line = error_line(&arguments);
        assert!(line.contains("/nowhere/file") && line.contains("No such file"), "{line}");
    }
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let directory = TempDir::new().expect("temporary directory");
    let paths = ["cert.pem", "key.pem"].map(|name| directory.path().join(name));
    let [one, two] = [(); 2].map(|()| {
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("certificate")
    });
    fs::write(&paths[0], one.cert.pem()).expect("written");
    fs::write(&paths[1], two.signing_key.serialize_pem()).expect("written");
    let [cert, key] = paths.each_ref().map(|path| text(path));
    let line = error_line(&["serve", "--tls-cert", cert, "--tls-key", key]);
    assert!(line.contains("does not match"), "{line}");
}

#[test]
fn an_occupied_port_is_named_with_its_cause() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("address").to_string();
    let line = error_line(&["serve", "--listen", &address]);
    assert!(line.contains(&address) && line.contains("in use"), "{line}");
}

#[test]
fn there_is_nothing_to_tell_about_no_device() {
    for address in ["none", "auto"] {
        let line = error_line(&["device", "info", "--device", address]);
        assert!(line.contains(address) && line.contains("--device sim:model"), "{line}");
    }
}

#[cfg(not(feature = "rtl"))]
#[test]
fn a_build_without_the_rtl_says_so_and_what_to_do() {
    for arguments in
        [&["serve", "--device", "sim:rtl"][..], &["device", "info", "--device", "sim:rtl"]]
    {
        let line = error_line(arguments);
        assert!(line.contains("--features rtl") && line.contains("sim:model"), "{line}");
    }
}
