// SPDX-License-Identifier: Apache-2.0 OR MIT
//! With aws-lc-rs as base: the key exchange that it brings, and its software beside the device.
#![cfg(feature = "aws-lc-rs")]

mod support;

use rustls::NamedGroup;
use rustls::crypto::SupportedKxGroup;
use sealgate_rustls::{Operation, Provider, Reason};

use support::{DEVICE_SUITES, Pair, TLS13_SUITES, assert_all_on_device, device, random_bytes, rng};

#[test]
fn x25519mlkem768_is_agreed_on_and_records_go_to_the_device() {
    let mut rng = rng();
    let (device, _) = device();
    for suite in TLS13_SUITES {
        let (on_device, counters) = Provider::new(&device).build();
        let mut pair = Pair::with_suite(on_device.clone(), on_device, suite);
        let group = pair.server.negotiated_key_exchange_group().map(SupportedKxGroup::name);
        assert_eq!(group, Some(NamedGroup::X25519MLKEM768));
        pair.echo(&random_bytes(&mut rng, 50_000));
        assert_all_on_device(&counters.snapshot());
    }
}

#[test]
fn its_software_takes_over_from_the_device() {
    let mut rng = rng();
    for suite in DEVICE_SUITES {
        let (device, transport) = device();
        let (on_device, counters) = Provider::new(&device).build();
        let mut pair = Pair::with_suite(on_device.clone(), on_device, suite);
        transport.control().vanish();
        pair.echo(&random_bytes(&mut rng, 50_000));
        let counts = counters.snapshot();
        assert!(
            counts.software(Operation::Seal, Reason::DeviceFailed).bytes >= 50_000,
            "{counts:?}"
        );
    }
}
