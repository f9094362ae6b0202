// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Connections that misbehave, bounds on them, and shutdown with requests in flight.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::common::{Running, one_image, post, settings, until};
use sealgate_frontend::model::digits::Classification;
use sealgate_frontend::{
    EmbeddedModel, Metrics, ReplicaError, Router, ScoreRequest, ScoreResponse, Server, ServerError,
    Settings, Summary, development_certificate, server_config,
};
use sealgate_rustls::{Offload, TlsAcceptor};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tower::{Service, service_fn};

/// Too short for any client.
const SHORT: Duration = Duration::from_millis(100);

/// A replica that holds each request until `gate` lets it pass.
fn gated(
    gate: &Arc<Semaphore>,
) -> impl Service<ScoreRequest, Response = ScoreResponse, Error = ReplicaError, Future: Send>
+ Clone
+ Send
+ Sync
+ Unpin
+ 'static {
    let gate = Arc::clone(gate);
    service_fn(move |request: ScoreRequest| {
        let gate = Arc::clone(&gate);
        Box::pin(async move {
            gate.acquire().await.unwrap().forget();
            let found = Classification { digit: 7, probabilities: [0.1; 10] };
            Ok(ScoreResponse { classifications: vec![found; request.images.len()] })
        })
    })
}

#[tokio::test]
async fn a_request_in_flight_is_answered_whole_at_shutdown() {
    let gate = Arc::new(Semaphore::new(0));
    let server = Running::start_with(settings(), gated(&gate)).await;
    let (address, metrics) = (server.address(), server.metrics.clone());
    let mut busy = server.connect().await;
    let mut idle = server.connect().await;
    assert_eq!(idle.get("/").await.status, 200);
    // An answer of several TLS records.
    let images = serde_json::json!({ "data": vec![vec![0; 64]; 1000] }).to_string();
    busy.send(post("/score", &images)).await;
    until(&metrics, "sealgate_frontend_requests_in_flight 1").await;

    let summary = server.shut_down();
    // The idle connection ends in order, which shows that draining has begun.
    assert_eq!(idle.rest().await.unwrap(), b"");
    let refused = TcpStream::connect(address).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    assert!(!summary.is_finished());

    gate.add_permits(1);
    let answer = busy.answer().await;
    assert_eq!((answer.status, answer.headers["connection"].as_str()), (200, "close"));
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(body["result"], serde_json::json!(vec![7; 1000]));
    assert_eq!(busy.rest().await.unwrap(), b"", "close_notify follows the answer");
    assert_eq!(summary.await.unwrap(), Summary { connections: 2, aborted: 0 });
}

#[tokio::test]
async fn a_body_that_is_on_its_way_at_shutdown_is_waited_for() {
    let server = Running::start(settings()).await;
    let mut client = server.connect().await;
    let request = post("/score", &one_image());
    let (half, other_half) = request.split_at(request.len() - 20);
    client.send(half).await;
    server.until("sealgate_frontend_requests_in_flight 1").await;
    let summary = server.shut_down();
    client.send(other_half).await;
    assert_eq!(client.answer().await.status, 200);
    assert_eq!(summary.await.unwrap().aborted, 0);
}

#[tokio::test]
async fn a_request_that_does_not_finish_is_cut_after_the_drain_time() {
    let gate = Arc::new(Semaphore::new(0));
    let server =
        Running::start_with(Settings { drain_timeout: SHORT, ..settings() }, gated(&gate)).await;
    let metrics = server.metrics.clone();
    let mut client = server.connect().await;
    client.send(post("/score", &one_image())).await;
    until(&metrics, "sealgate_frontend_requests_in_flight 1").await;
    let summary = server.shut_down().await.unwrap();
    assert_eq!(summary, Summary { connections: 1, aborted: 1 });
    assert_eq!(client.rest().await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    until(&metrics, "sealgate_frontend_requests_in_flight 0").await;
    until(&metrics, "sealgate_frontend_open_connections 0").await;
}

#[tokio::test]
async fn connections_beyond_the_cap_wait_their_turn() {
    let server = Running::start(Settings { max_connections: 2, ..settings() }).await;
    let mut first = server.connect().await;
    let mut second = server.connect().await;
    let tcp = TcpStream::connect(server.address()).await.unwrap();
    let mut third = std::pin::pin!(server.handshake(tcp, rustls::ALL_VERSIONS));
    for _ in 0..20 {
        tokio::select! {
            biased;
            _ = &mut third => panic!("a third connection was served"),
            answer = first.get("/metrics") => {
                let text = String::from_utf8(answer.body).unwrap();
                assert!(text.contains("sealgate_frontend_connections_total 2\n"), "{text}");
            }
        }
        assert_eq!(second.get("/").await.status, 200);
    }
    drop(first);
    assert_eq!(third.await.unwrap().get("/").await.status, 200);
}

#[tokio::test]
async fn a_handshake_that_takes_too_long_is_ended() {
    let server = Running::start(Settings { handshake_timeout: SHORT, ..settings() }).await;
    let mut silent = TcpStream::connect(server.address()).await.unwrap();
    let mut started = TcpStream::connect(server.address()).await.unwrap();
    // The head of a record with a ClientHello that does not come.
    started.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]).await.unwrap();
    for stream in [&mut silent, &mut started] {
        assert_eq!(stream.read(&mut [0; 64]).await.unwrap(), 0);
    }
    server.until(r#"sealgate_frontend_tls_handshakes_total{result="timed_out"} 2"#).await;
    server.until("sealgate_frontend_open_connections 0").await;
}

#[tokio::test]
async fn slow_clients_do_not_hold_up_others() {
    let server = Running::start(settings()).await;
    let mut slow = Vec::new();
    for _ in 0..50 {
        slow.push(TcpStream::connect(server.address()).await.unwrap());
    }
    let mut half = server.connect().await;
    half.send("GET / HTTP/1.1\r\nHost: loc").await;
    for _ in 0..3 {
        assert_eq!(server.connect().await.get("/").await.status, 200);
    }
    half.send("alhost\r\n\r\n").await;
    assert_eq!(half.answer().await.status, 200);
}

#[tokio::test]
async fn broken_handshakes_are_counted_and_do_no_harm() {
    let server = Running::start(settings()).await;

    let mut plain = TcpStream::connect(server.address()).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    plain.read_to_end(&mut answer).await.unwrap();
    assert!(!answer.starts_with(b"HTTP"), "plain HTTP was answered");
    server.until(r#"sealgate_frontend_tls_handshakes_total{result="not_tls"} 1"#).await;

    drop(TcpStream::connect(server.address()).await.unwrap());
    server.until(r#"sealgate_frontend_tls_handshakes_total{result="lost"} 1"#).await;

    // A client that does not know the certificate.
    let mut stranger = Running::start(settings()).await;
    stranger.addresses.clone_from(&server.addresses);
    let tcp = TcpStream::connect(server.address()).await.unwrap();
    assert!(stranger.handshake(tcp, &[&rustls::version::TLS12]).await.is_err());
    server.until(r#"sealgate_frontend_tls_handshakes_total{result="refused"} 1"#).await;

    assert_eq!(server.connect().await.get("/").await.status, 200);
    server.until(r#"sealgate_frontend_tls_handshakes_total{result="completed"} 1"#).await;
}

#[tokio::test]
async fn a_head_that_does_not_end_is_not_waited_for() {
    let server = Running::start(Settings { header_timeout: SHORT, ..settings() }).await;
    let mut client = server.connect().await;
    client.send("GET / HTTP/1.1\r\nHost: loc").await;
    let answer = String::from_utf8(client.rest().await.unwrap()).unwrap();
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    server.until(r#"sealgate_frontend_connection_ends_total{reason="timed_out"} 1"#).await;

    let mut idle = server.connect().await;
    assert_eq!(idle.get("/").await.status, 200);
    assert_eq!(idle.rest().await.unwrap(), b"");
}

#[tokio::test]
async fn every_address_is_listened_on() {
    let listen = ["127.0.0.1:0", "127.0.0.2:0"].map(|address| address.parse().unwrap());
    let mut server = Running::start(Settings { listen: listen.to_vec(), ..settings() }).await;
    assert_eq!(server.addresses.len(), 2);
    for _ in 0..4 {
        assert_eq!(server.connect().await.get("/").await.status, 200);
        server.addresses.rotate_left(1);
    }
    assert_eq!(server.shut_down().await.unwrap().connections, 4);
}

#[tokio::test]
async fn settings_that_cannot_be_are_refused() {
    let bind = async |settings| {
        let development = development_certificate().unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = server_config(provider, development.certificate).unwrap();
        let tls = TlsAcceptor::new(config, Offload::without_device());
        let metrics = Metrics::new(Vec::new());
        let router = Router::new(EmbeddedModel::load().unwrap(), metrics.clone());
        Server::bind(settings, tls, router, metrics).await
    };
    let none = bind(Settings { listen: Vec::new(), ..settings() }).await;
    assert!(matches!(none, Err(ServerError::NoAddress)));
    for max_connections in [0, usize::MAX] {
        let refused = bind(Settings { max_connections, ..settings() }).await;
        assert!(matches!(refused, Err(ServerError::MaxConnections(_))));
    }
    let first = bind(settings()).await.unwrap();
    let taken = bind(Settings { listen: first.local_addrs().to_vec(), ..settings() }).await;
    assert!(matches!(taken, Err(ServerError::Bind { address, .. })
        if address == first.local_addrs()[0]));
}
