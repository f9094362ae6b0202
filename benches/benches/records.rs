// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One record sealed: by ring, and through the driver by the software device on another thread.
#![allow(missing_docs, reason = "criterion's macros make public items")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sealgate_benches::RECORD_BYTES;
use sealgate_benches::software::Software;
use sealgate_driver::{Device, Direction, Key, Plaintext, Settings, Suite};
use sealgate_sim::{SimConfig, SimTransport};

fn seal(criterion: &mut Criterion) {
    let key = [0x42; 16];
    let iv = [0x24; 12];
    let transport = SimTransport::model(SimConfig::default()).expect("the software device starts");
    let device = Device::open(transport, Settings::default()).expect("the software device is up");
    let software = Software::new(Suite::Aes128Gcm, &key, iv).expect("a key of 16 bytes");
    for record_bytes in RECORD_BYTES {
        let content = vec![0x5A; record_bytes];
        let mut record = vec![0; record_bytes + 1 + 16];
        let mut buffer = Vec::new();
        let mut sequence = 0;
        let mut session = device.session(Direction::Seal, Key::Aes128(&key), iv);
        let mut group = criterion.benchmark_group(format!("seal/{record_bytes}"));
        group.throughput(Throughput::Bytes(record_bytes as u64));
        group.bench_function("ring", |bencher| {
            bencher.iter(|| {
                sequence += 1;
                software.seal(sequence, &content, &mut buffer).expect("ring seals");
            });
        });
        group.bench_function("sim:model", |bencher| {
            bencher.iter(|| {
                sequence += 1;
                let chunks = [&*content];
                let plaintext =
                    Plaintext { content_type: 23, sequence, padding_multiple: 0, chunks: &chunks };
                session.seal(plaintext, &mut record).expect("the device seals");
            });
        });
        group.finish();
    }
}

criterion_group!(benches, seal);
criterion_main!(benches);
