// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Requests through real TLS connections.

use std::time::Duration;

use crate::common::{Running, one_image, post, settings};
use sealgate_frontend::MAX_BODY_BYTES;
use sealgate_frontend::model::digits::{Digits, held_out};
use serde_json::{Value, json};
use tokio::net::TcpStream;

#[tokio::test]
async fn held_out_images_are_recognised_over_each_version_of_tls() {
    let server = Running::start(settings()).await;
    let shown = held_out().unwrap();
    let stated = Digits::load().unwrap().stated_accuracy();
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let tcp = TcpStream::connect(server.address()).await.unwrap();
        let mut client = server.handshake(tcp, &[version]).await.unwrap();
        assert_eq!(client.tls.get_ref().1.protocol_version(), Some(version.version));

        // Several requests on one connection, of different lengths.
        let mut correct = 0;
        for images in shown.chunks(75) {
            let pixels: Vec<&[f32]> = images.iter().map(|one| one.image.as_slice()).collect();
            let answer = client.post("/score", &json!({ "data": pixels }).to_string()).await;
            assert_eq!(answer.status, 200);
            let body: Value = serde_json::from_slice(&answer.body).unwrap();
            let digits: Vec<u8> = serde_json::from_value(body["result"].clone()).unwrap();
            assert_eq!(digits.len(), images.len());
            correct += images.iter().zip(digits).filter(|(one, digit)| one.label == *digit).count();
        }
        assert_eq!((shown.len(), correct), (stated.images, stated.correct));
    }
    let text = server.metrics.encode().unwrap();
    for line in [
        r#"sealgate_frontend_tls_handshakes_total{result="completed"} 2"#,
        r#"sealgate_frontend_tls_sessions_total{version="1.3",cipher_suite="TLS13_AES_256_GCM_SHA384"} 1"#,
        "sealgate_frontend_images_total 720",
        "sealgate_frontend_connections_total 2",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(text.contains(r#"sessions_total{version="1.2","#), "{text}");
}

#[tokio::test]
async fn refusals_leave_the_connection_usable() {
    let server = Running::start(settings()).await;
    let mut client = server.connect().await;
    for (sent, status) in [
        (post("/score", "{"), 400),
        (post("/score", &one_image()), 200),
        (post("/", ""), 405),
        (post("/nowhere", "?"), 404),
        ("GET /swagger.json?version=4 HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), 400),
        (
            "POST /score HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: 0\r\n\r\n"
                .to_owned(),
            415,
        ),
        (
            format!("GET / HTTP/1.1\r\nHost: localhost\r\nx-request-id: {}\r\n\r\n", "x".repeat(101)),
            431,
        ),
        ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), 200),
    ] {
        client.send(&sent).await;
        let answer = client.answer().await;
        assert_eq!(answer.status, status, "{sent}: {answer:?}");
        assert!(answer.headers.contains_key("x-request-id"));
        if status != 200 {
            let body: Value = serde_json::from_slice(&answer.body).unwrap();
            assert!(body["error"].is_string(), "{body}");
        }
    }
    assert!(server.metrics.encode().unwrap().contains("sealgate_frontend_connections_total 1\n"));
}

#[tokio::test]
async fn head_states_the_length_and_sends_no_body() {
    let server = Running::start(settings()).await;
    let mut client = server.connect().await;
    let whole = client.get("/swagger.json").await;
    client.send("HEAD /swagger.json HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let head = client.head().await;
    assert_eq!(head.status, 200);
    assert_eq!(head.headers["content-length"], whole.body.len().to_string());
    assert_eq!(client.get("/").await.body, b"Healthy\n");
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = Running::start(settings()).await;
    let mut client = server.connect().await;
    let get = |path| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let pipeline =
        [get("/"), post("/score", &one_image()), get("/nowhere"), get("/swagger.json"), get("/")];
    client.send(pipeline.concat()).await;
    let mut statuses = Vec::new();
    for _ in &pipeline {
        statuses.push(client.answer().await.status);
    }
    assert_eq!(statuses, [200, 200, 404, 200, 200]);
}

#[tokio::test]
async fn a_body_beyond_the_limit_gets_its_answer_though_it_is_sent_in_full() {
    let server = Running::start(settings()).await;
    let large = " ".repeat(MAX_BODY_BYTES + 1);

    let mut client = server.connect().await;
    client.send(post("/score", &large)).await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.headers["connection"].as_str()), (413, "close"));
    assert_eq!(client.rest().await.unwrap(), b"");

    let mut client = server.connect().await;
    client.send("POST /score HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    client.send(format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len())).await;
    assert_eq!(client.answer().await.status, 413);
}

#[tokio::test]
async fn a_client_that_goes_on_sending_after_its_refusal_is_not_reset() {
    let server = Running::start(settings()).await;
    let mut client = server.connect().await;
    let length = MAX_BODY_BYTES + 1;
    client
        .send(format!("POST /score HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n"))
        .await;
    server.until(r#"sealgate_frontend_requests_total{route="/score",code="413"} 1"#).await;
    for _ in 0..5 {
        client.send([b' '; 4096]).await;
        // Long enough for a reset to come back, and well within the time that the server lingers.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(client.answer().await.status, 413);
    assert_eq!(client.rest().await.unwrap(), b"");
}

#[tokio::test]
async fn a_client_that_waits_to_send_its_body_is_answered_at_once() {
    let server = Running::start(settings()).await;
    let head = |length| {
        format!(
            "POST /score HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\
             Content-Length: {length}\r\n\r\n"
        )
    };
    let mut client = server.connect().await;
    client.send(head(MAX_BODY_BYTES + 1)).await;
    assert_eq!(client.answer().await.status, 413);

    let mut client = server.connect().await;
    let body = one_image();
    client.send(head(body.len())).await;
    assert_eq!(client.head().await.status, 100);
    client.send(body).await;
    assert_eq!(client.answer().await.status, 200);
}

#[tokio::test]
async fn what_is_not_http_is_refused_and_counted() {
    let server = Running::start(settings()).await;
    for (sent, status) in [
        ("\x16\x03\x01 nonsense\r\n\r\n".to_owned(), "400"),
        ("GET / HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n".to_owned(), "400"),
        ("POST /score HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n".to_owned(), "400"),
        (format!("GET / HTTP/1.1\r\nHost: a\r\nx: {}\r\n\r\n", "x".repeat(40 << 10)), "431"),
    ] {
        let mut client = server.connect().await;
        client.send(&sent).await;
        let answer = String::from_utf8(client.rest().await.unwrap()).unwrap();
        let start = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(&start), "{answer:?} to {:?}", sent.get(..40));
    }
    server.until(r#"sealgate_frontend_connection_ends_total{reason="not_http"} 4"#).await;
    assert_eq!(server.connect().await.get("/").await.status, 200);
}

#[tokio::test]
async fn a_body_that_ends_early_takes_down_only_its_connection() {
    let server = Running::start(settings()).await;
    let mut client = server.connect().await;
    client.send("POST /score HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n{").await;
    drop(client);
    server.until(r#"sealgate_frontend_requests_total{route="/score",code="400"} 1"#).await;
    server.until("sealgate_frontend_open_connections 0").await;
    assert_eq!(server.connect().await.get("/").await.status, 200);
}

#[tokio::test]
async fn metrics_are_served_with_their_own_request_in_flight() {
    let server = Running::start(settings()).await;
    let answer = server.connect().await.get("/metrics").await;
    assert_eq!(
        answer.headers["content-type"],
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    let text = String::from_utf8(answer.body).unwrap();
    assert!(text.contains("\nsealgate_frontend_requests_in_flight 1\n"), "{text}");
    assert!(text.contains("\nsealgate_frontend_open_connections 1\n"), "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
    let mut heads: Vec<&str> = text.lines().filter(|line| line.starts_with("# TYPE")).collect();
    let all = heads.len();
    heads.sort_unstable();
    heads.dedup();
    assert_eq!(heads.len(), all, "a family has two heads:\n{text}");
}
