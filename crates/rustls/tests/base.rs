// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Bases other than ring: one whose encrypters hold sequence numbers against each other, as AWS-LC's do.

mod support;

use sealgate_rustls::{Operation, Provider, Reason};

use support::monotonic::monotonic_base;
use support::{DEVICE_SUITES, Pair, device, random_bytes, rng};

#[test]
fn software_that_wants_sequence_numbers_from_0_takes_over_later() {
    let mut rng = rng();
    for suite in DEVICE_SUITES {
        let (device, transport) = device();
        let builder = Provider::new(&device).base(monotonic_base());
        let (on_device, counters) = builder.build();
        let mut pair = Pair::with_suite(on_device.clone(), on_device, suite);
        pair.echo(&random_bytes(&mut rng, 30_000));
        assert_eq!(counters.snapshot().software_total(Operation::Seal).records, 0);
        transport.control().vanish();
        pair.echo(&random_bytes(&mut rng, 30_000));
        let failed = counters.snapshot().software(Operation::Seal, Reason::DeviceFailed);
        assert!(failed.bytes > 40_000, "client and server: {failed:?}");
    }
}

#[test]
fn records_of_one_connection_alternate_between_device_and_software() {
    let mut rng = rng();
    let (device, _) = device();
    for suite in DEVICE_SUITES {
        let builder = Provider::new(&device).base(monotonic_base()).software_below(1_000);
        let (on_device, counters) = builder.build();
        let mut pair = Pair::with_suite(on_device.clone(), on_device, suite);
        for size in [2_000, 10, 3_000, 999, 1_000, 1, 5_000] {
            pair.echo(&random_bytes(&mut rng, size));
        }
        let counts = counters.snapshot();
        assert!(counts.software(Operation::Seal, Reason::BelowThreshold).records >= 6);
        assert!(counts.device(Operation::Seal).records >= 8);
    }
}
