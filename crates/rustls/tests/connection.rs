// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Whole connections between rustls and rustls, the records of both sides on the device.

mod support;

use std::io::{IoSlice, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rustls::crypto::ring;
use rustls::{ClientConnection, ServerConnection, StreamOwned};
use rustls_pki_types::ServerName;
use sealgate_rustls::{Operation, Provider, provider};

use support::{
    DEVICE_SUITES, Pair, TLS13_SUITES, assert_all_on_device, configs, device, only, random_bytes,
    rng, version_of,
};

const MIB: usize = 1 << 20;

#[test]
fn both_sides_on_the_device() {
    let mut rng = rng();
    let (device, _) = device();
    for suite in DEVICE_SUITES {
        let (client, client_counters) = Provider::new(&device).build();
        let (server, server_counters) = Provider::new(&device).build();
        let mut pair = Pair::with_suite(client, server, suite);
        for size in [1, 15, 16, 17, 255, 1_024, 8_192, 50_000] {
            pair.echo(&random_bytes(&mut rng, size));
        }
        let (client, server) = (client_counters.snapshot(), server_counters.snapshot());
        assert_all_on_device(&client);
        assert_all_on_device(&server);
        assert_eq!(client.device(Operation::Seal), server.device(Operation::Open));
        assert_eq!(server.device(Operation::Seal), client.device(Operation::Open));
    }
}

#[test]
fn either_side_on_the_device_alone() {
    let mut rng = rng();
    let (device, _) = device();
    for suite in DEVICE_SUITES {
        let bytes = random_bytes(&mut rng, 40_000);
        Pair::with_suite(provider(&device), ring::default_provider(), suite).echo(&bytes);
        Pair::with_suite(ring::default_provider(), provider(&device), suite).echo(&bytes);
    }
}

#[test]
fn fragments_of_every_allowed_size() {
    let mut rng = rng();
    let (device, _) = device();
    let bytes = random_bytes(&mut rng, 20_000);
    // The configured size counts the record header.
    let fragments = [32, 33, 100, 1_029, 4_096, 16_388, 16_389];
    let versions = [&rustls::version::TLS13, &rustls::version::TLS12];
    for (fragment, version) in
        fragments.into_iter().flat_map(|it| versions.map(|as_in| (it, as_in)))
    {
        let (on_device, counters) = Provider::new(&device).build();
        let (mut client, server) = configs(on_device.clone(), on_device, version);
        client.max_fragment_size = Some(fragment);
        let mut pair = Pair::connected((client, server));
        pair.echo(&bytes);
        assert_all_on_device(&counters.snapshot());
    }
}

#[test]
fn writes_of_several_chunks() {
    let mut rng = rng();
    let (device, _) = device();
    let (on_device, counters) = Provider::new(&device).build();
    let mut pair = Pair::with_suite(on_device.clone(), on_device, DEVICE_SUITES[0]);
    let parts = [3, 0, 5_000, 16, 9_000, 1].map(|size| random_bytes(&mut rng, size));
    let slices = parts.each_ref().map(|part| IoSlice::new(part));
    let expected = parts.concat();

    let written = pair.client.writer().write_vectored(&slices).expect("client writes");
    assert_eq!(written, expected.len());
    pair.client_to_server().expect("server opens");
    let mut arrived = vec![0; expected.len()];
    pair.server.reader().read_exact(&mut arrived).expect("server reads");
    assert!(arrived == expected);
    assert_all_on_device(&counters.snapshot());
}

#[test]
fn traffic_keys_are_updated_on_both_sides() {
    let mut rng = rng();
    let (device, _) = device();
    for suite in TLS13_SUITES {
        let (on_device, counters) = Provider::new(&device).build();
        let mut pair = Pair::with_suite(on_device.clone(), on_device, suite);
        for _ in 0..3 {
            pair.client.refresh_traffic_keys().expect("client refreshes");
            pair.echo(&random_bytes(&mut rng, 20_000));
            pair.server.refresh_traffic_keys().expect("server refreshes");
            pair.echo(&random_bytes(&mut rng, 20_000));
        }
        assert_all_on_device(&counters.snapshot());
    }
}

#[test]
fn close_notify_ends_the_connection_cleanly() {
    let (device, _) = device();
    let (on_device, counters) = Provider::new(&device).build();
    let mut pair = Pair::with_suite(on_device.clone(), on_device, DEVICE_SUITES[1]);
    pair.client.send_close_notify();
    pair.client_to_server().expect("server takes the alert");
    let read = pair.server.reader().read(&mut [0; 16]).expect("a clean end of stream");
    assert_eq!(read, 0);
    assert_all_on_device(&counters.snapshot());
}

/// Sends `bytes` and expects them back, over a real socket.
fn echo_over_tcp<C, S>(mut stream: StreamOwned<C, TcpStream>, bytes: &[u8])
where
    C: std::ops::DerefMut<Target = rustls::ConnectionCommon<S>>,
    S: rustls::SideData,
{
    for part in bytes.chunks(60_000) {
        stream.write_all(part).expect("client writes");
        stream.flush().expect("client flushes");
        let mut returned = vec![0; part.len()];
        stream.read_exact(&mut returned).expect("client reads");
        assert!(returned == part, "the client got what it sent");
    }
    stream.conn.send_close_notify();
    stream.flush().expect("client flushes");
}

#[test]
fn a_mebibyte_each_way_over_tcp() {
    let bytes = random_bytes(&mut rng(), MIB);
    let (device, _) = device();
    for suite in DEVICE_SUITES {
        let (on_device, counters) = Provider::new(&device).build();
        let on_device = only(on_device, suite);
        let (client, server) = configs(on_device.clone(), on_device, version_of(suite));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("address");
        let echo = thread::spawn(move || {
            let (socket, _) = listener.accept().expect("a client");
            let connection = ServerConnection::new(Arc::new(server)).expect("server");
            let mut stream = StreamOwned::new(connection, socket);
            let mut buffer = [0; 16_384];
            loop {
                match stream.read(&mut buffer).expect("server reads") {
                    0 => return,
                    read => stream.write_all(&buffer[..read]).expect("server writes"),
                }
            }
        });
        let name = ServerName::try_from("localhost").expect("name");
        let connection = ClientConnection::new(Arc::new(client), name).expect("client");
        let socket = TcpStream::connect(address).expect("the server listens");
        echo_over_tcp(StreamOwned::new(connection, socket), &bytes);
        echo.join().expect("the server ends cleanly");

        let counts = counters.snapshot();
        assert_all_on_device(&counts);
        for operation in Operation::ALL {
            assert!(counts.device(operation).bytes >= 2 * MIB as u64, "{counts:?}");
        }
    }
}
