// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The router without a network: every answer it can give.

use hyper::StatusCode;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tower::service_fn;

use super::*;
use crate::EmbeddedModel;
use crate::model::digits::held_out;

async fn ask_of<R>(replica: R, request: Request<Full<Bytes>>) -> Response<Bytes>
where
    R: Service<ScoreRequest, Response = ScoreResponse, Error = ReplicaError>
        + Clone
        + Send
        + 'static,
    R::Future: Send,
{
    let router = Router::new(replica, Metrics::new(Vec::new()));
    let (head, body) = router.oneshot(request).await.unwrap().into_parts();
    Response::from_parts(head, body.collect().await.unwrap().to_bytes())
}

async fn ask(request: Request<Full<Bytes>>) -> Response<Bytes> {
    ask_of(EmbeddedModel::load().unwrap(), request).await
}

fn request(method: &str, path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::builder().method(method).uri(path).body(Full::new(body.into())).unwrap()
}

async fn score(body: impl Into<Bytes>) -> Response<Bytes> {
    ask(request("POST", "/score", body)).await
}

fn error_of(answer: &Response<Bytes>) -> String {
    assert_eq!(answer.headers()[CONTENT_TYPE], "application/json");
    let body: Value = serde_json::from_slice(answer.body()).unwrap();
    body["error"].as_str().unwrap().to_owned()
}

fn one_image() -> String {
    json!({ "data": [vec![0; 64]] }).to_string()
}

#[tokio::test]
async fn flat_and_nested_images_score_the_same() {
    let shown = held_out().unwrap();
    let flat: Vec<Vec<f32>> = shown[..9].iter().map(|one| one.image.to_vec()).collect();
    let nested: Vec<Vec<&[f32]>> = flat.iter().map(|image| image.chunks(8).collect()).collect();
    let one = score(json!({ "data": flat }).to_string()).await;
    let other = score(json!({ "parameters": [{}], "data": nested }).to_string()).await;
    assert_eq!((one.status(), one.body()), (StatusCode::OK, other.body()));

    let answer: Value = serde_json::from_slice(one.body()).unwrap();
    let replica = EmbeddedModel::load().unwrap();
    let images = shown[..9].iter().map(|one| one.image).collect();
    let expected = replica.oneshot(ScoreRequest { images }).await.unwrap().classifications;
    let digits: Vec<u8> = expected.iter().map(|one| one.digit).collect();
    assert_eq!(answer["result"], json!(digits));
    let probabilities: Vec<[f32; 10]> =
        serde_json::from_value(answer["probabilities"].clone()).unwrap();
    assert!(expected.iter().map(|one| one.probabilities).eq(probabilities));
}

#[tokio::test]
async fn a_score_states_how_long_it_took() {
    let answer = score(one_image()).await;
    assert_eq!(answer.headers()["x-ms-run-function-failed"], "false");
    let milliseconds = answer.headers()["x-ms-run-fn-exec-ms"].to_str().unwrap();
    assert!(milliseconds.parse::<f64>().unwrap() >= 0.0, "{milliseconds}");
}

#[tokio::test]
async fn malformed_requests_are_told_what_is_wrong_and_where() {
    let pixels = |first: &str| format!(r#"{{"data":[[{first}{}]]}}"#, ",0".repeat(63));
    let row = "[0,0,0,0,0,0,0,0]";
    let cases = [
        (String::new(), "EOF"),
        ("null".to_owned(), "expected an object with the member data"),
        ("[]".to_owned(), "expected an object with the member data"),
        ("{}".to_owned(), "missing field `data`"),
        (r#"{"Data":[]}"#.to_owned(), "missing field `data`"),
        (r#"{"data":[]}"#.to_owned(), "data holds no image"),
        (r#"{"data":7}"#.to_owned(), "expected an array of images in data"),
        (r#"{"data":[7]}"#.to_owned(), "as data[0]"),
        (r#"{"data":[[]]}"#.to_owned(), "data[0] holds 0 numbers instead of 64"),
        (r#"{"data":[[1,2,3]]}"#.to_owned(), "data[0] holds 3 numbers instead of 64"),
        (format!(r#"{{"data":[[0{}]]}}"#, ",0".repeat(64)), "data[0] holds more than 64 numbers"),
        (format!("{},1]", one_image()), "trailing characters at line 1"),
        (pixels("NaN"), "expected value at line 1 column 11"),
        (pixels("Infinity"), "expected value at line 1 column 11"),
        (pixels("1e999"), "number out of range"),
        (pixels("16.5"), "data[0][0] is not from 0 to 16"),
        (pixels("-1"), "data[0][0] is not from 0 to 16"),
        (pixels("18446744073709551615"), "data[0][0] is not from 0 to 16"),
        (pixels(r#""7""#), r#"invalid type: string "7", expected a number or a row as data[0][0]"#),
        (pixels("null"), "expected a number or a row as data[0][0]"),
        (pixels("true"), "expected a number or a row as data[0][0]"),
        (pixels(r#"{"a":1}"#), "expected a number or a row as data[0][0]"),
        (pixels("[0]"), "data[0][0] is not 8 numbers"),
        (pixels(row), "data[0][1] is not a row"),
        (pixels(&format!("0,{row}")), "data[0][1] is not a number"),
        (pixels("[0,0,0,0,0,0,0,0,0]"), "data[0][0] is not 8 numbers"),
        (pixels("[0,0,0,17]"), "data[0][0][3] is not from 0 to 16"),
        (pixels("[0,[]]"), "expected a number as data[0][0][1]"),
        (format!(r#"{{"data":[[{row}]]}}"#), "data[0] holds 1 rows instead of 8"),
        (format!(r#"{{"data":[[{}]]}}"#, [row; 9].join(",")), "data[0] holds more than 8 rows"),
        (r#"{"data":[],"data":[]}"#.to_owned(), "data holds no image"),
        (format!(r#"{},"data":[]}}"#, one_image().trim_end_matches('}')), "duplicate field `data`"),
        (format!(r#"{{"x":{}"#, "[".repeat(100_000)), "EOF while parsing a list at line 1"),
        (format!(r#"{{"data":{}"#, "[".repeat(100_000)), "expected a number as data[0][0][0]"),
    ];
    for (body, expected) in cases {
        let answer = score(body.clone()).await;
        let error = error_of(&answer);
        let sent = body.get(..80).unwrap_or(&body);
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{sent}: {error}");
        assert!(error.contains(expected), "{sent}: {error}");
    }
    let not_utf8 = score(&b"{\"data\xff\":[]}"[..]).await;
    assert!(error_of(&not_utf8).contains("line 1"), "{}", error_of(&not_utf8));
}

#[tokio::test]
async fn a_message_quotes_no_more_than_a_little_of_the_client() {
    let answer = score(format!(r#"{{"data":"{}"}}"#, "\u{fc}".repeat(10_000))).await;
    let error = error_of(&answer);
    assert!(error.len() < 400 && error.contains("... at line 1 column"), "{error}");
}

#[tokio::test]
async fn as_many_images_as_allowed_and_no_more() {
    let images = |count| format!(r#"{{"data":[{}]}}"#, vec![&*image(); count].join(","));
    let answer = score(images(MAX_IMAGES)).await;
    let body: Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(body["result"].as_array().unwrap().len(), MAX_IMAGES);

    let answer = score(images(MAX_IMAGES + 1)).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert!(error_of(&answer).contains("data holds more than 1024 images"));
}

fn image() -> String {
    json!(vec![0; 64]).to_string()
}

/// Bytes that mean something to a reader of JSON.
const TOKENS: &[u8] = b"[]{},:\"-+.eE019nN\\ \0";

#[tokio::test]
async fn no_sequence_of_bytes_is_answered_with_anything_but_200_or_400() {
    let seed = std::env::var("SEALGATE_SEED")
        .ok()
        .map_or_else(rand_seed, |seed| seed.parse().expect("SEALGATE_SEED is a number"));
    println!("SEALGATE_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let valid = format!(r#"{{"data":[{},{}],"x":null}}"#, image(), image()).into_bytes();
    for _ in 0..2_000 {
        let mut body = valid.clone();
        for _ in 0..random.random_range(1..4) {
            // One change may have taken the last byte.
            let Some(last) = body.len().checked_sub(1) else { break };
            let at = random.random_range(0..=last);
            match random.random_range(0..4) {
                0 => body[at] = random.random(),
                1 => body[at] = TOKENS[random.random_range(0..TOKENS.len())],
                2 => drop(body.remove(at)),
                _ => body.truncate(at),
            }
        }
        let answer = score(body.clone()).await;
        let allowed = [StatusCode::OK, StatusCode::BAD_REQUEST].contains(&answer.status());
        assert!(allowed, "{}: {:?}", answer.status(), String::from_utf8_lossy(&body));
        if answer.status() == StatusCode::BAD_REQUEST {
            assert!(!error_of(&answer).is_empty());
        }
    }
}

fn rand_seed() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().0
}

#[tokio::test]
async fn bodies_beyond_the_limit_are_refused() {
    let mut padded = one_image();
    padded.push_str(&" ".repeat(MAX_BODY_BYTES - padded.len()));
    assert_eq!(score(padded.clone()).await.status(), StatusCode::OK);
    padded.push(' ');
    let answer = score(padded).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(error_of(&answer).contains("1048576 bytes"));

    // Whatever else the body is, its stated length is enough.
    let mut declared = request("POST", "/score", one_image());
    declared.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(MAX_BODY_BYTES + 1));
    assert_eq!(ask(declared).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_comes_ends_in_408() {
    struct Silent;
    impl Body for Silent {
        type Data = Bytes;
        type Error = Infallible;
        fn poll_frame(
            self: Pin<&mut Self>,
            _context: &mut Context<'_>,
        ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Infallible>>> {
            Poll::Pending
        }
    }
    let router = Router::new(EmbeddedModel::load().unwrap(), Metrics::new(Vec::new()));
    let request = Request::builder().method("POST").uri("/score").body(Silent).unwrap();
    let answer = router.oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::REQUEST_TIMEOUT);
    assert_eq!(answer.headers()["connection"], "close");
}

#[tokio::test]
async fn what_says_it_is_not_json_is_refused() {
    for (header, value, expected) in [
        ("content-type", "application/json", StatusCode::OK),
        ("content-type", "Application/JSON; charset=utf-8", StatusCode::OK),
        ("content-type", "application/vnd.scores+json", StatusCode::OK),
        ("content-type", "application/x-www-form-urlencoded", StatusCode::OK),
        ("content-type", "image/png", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("content-type", "multipart/form-data; boundary=x", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("content-encoding", "identity", StatusCode::OK),
        ("content-encoding", "gzip", StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ] {
        let mut typed = request("POST", "/score", one_image());
        typed.headers_mut().insert(header, HeaderValue::from_static(value));
        assert_eq!(ask(typed).await.status(), expected, "{header}: {value}");
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_refused() {
    for path in ["/nothing", "/score/", "//", "/Score", "/metrics/x"] {
        let answer = ask(request("GET", path, "")).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        assert!(error_of(&answer).contains("nothing at this path"));
    }
    for route in Route::ALL {
        let (refused, allow): (&[&str], _) = match route {
            Route::Score => (&["GET", "HEAD", "PUT", "OPTIONS", "BREW"], "POST"),
            _ => (&["POST", "PUT", "DELETE", "OPTIONS", "BREW"], "GET, HEAD"),
        };
        for method in refused {
            let answer = ask(request(method, route.label(), "")).await;
            assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{method} {route:?}");
            assert_eq!(answer.headers()["allow"], allow);
        }
    }
}

#[tokio::test]
async fn get_and_head_are_answered_where_they_should_be() {
    for (path, content_type) in [
        ("/", "text/plain; charset=utf-8"),
        ("/metrics", Metrics::CONTENT_TYPE),
        ("/swagger.json", "application/json"),
        ("/swagger.json?version=2", "application/json"),
        ("/swagger.json?a=b&version=3", "application/json"),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = ask(request(method, path, "")).await;
            assert_eq!(answer.status(), StatusCode::OK, "{method} {path}");
            assert_eq!(answer.headers()[CONTENT_TYPE], content_type, "{method} {path}");
        }
    }
    assert_eq!(ask(request("GET", "/", "")).await.body(), "Healthy\n");
}

#[tokio::test]
async fn request_identifiers_are_echoed_or_made() {
    let made = ask(request("GET", "/", "")).await;
    let id = made.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(uuid::Uuid::parse_str(&id).unwrap().get_version_num(), 4);
    assert_eq!(made.headers()["x-ms-request-id"], *id);
    assert!(!made.headers().contains_key("x-ms-client-request-id"));
    let other = ask(request("GET", "/", "")).await;
    assert_ne!(other.headers()["x-request-id"], *id);

    // Refused requests have theirs too.
    let mut named = request("GET", "/nothing", "");
    let longest = "x".repeat(MAX_REQUEST_ID_CHARS);
    named.headers_mut().insert("x-request-id", HeaderValue::from_str(&longest).unwrap());
    named.headers_mut().insert("x-ms-client-request-id", HeaderValue::from_static("seven"));
    let answer = ask(named).await;
    assert_eq!(answer.headers()["x-request-id"], *longest);
    assert_eq!(answer.headers()["x-ms-request-id"], *longest);
    assert_eq!(answer.headers()["x-ms-client-request-id"], "seven");
}

#[tokio::test]
async fn request_identifiers_that_are_too_long_are_refused() {
    for header in ["x-request-id", "x-ms-request-id", "x-ms-client-request-id"] {
        let mut named = request("GET", "/", "");
        let long = "x".repeat(MAX_REQUEST_ID_CHARS + 1);
        named.headers_mut().insert(header, HeaderValue::from_str(&long).unwrap());
        let answer = ask(named).await;
        assert_eq!(answer.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        assert!(error_of(&answer).contains(header));
        assert_eq!(answer.headers()["x-request-id"].len(), 36);
    }
}

#[tokio::test(start_paused = true)]
async fn failures_of_the_replica_have_their_own_codes() {
    let score = || request("POST", "/score", one_image());
    let busy = service_fn(async |_| Err(ReplicaError::Overloaded));
    let answer = ask_of(busy, score()).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "1");

    let failing = service_fn(async |_| Err(ReplicaError::Failed("at 10.0.0.7".into())));
    let answer = ask_of(failing, score()).await;
    assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
    assert_eq!(answer.headers()["x-ms-run-function-failed"], "true");
    assert!(!error_of(&answer).contains("10.0.0.7"), "the cause is for the log");

    let silent = service_fn(async |_| std::future::pending().await);
    let answer = ask_of(silent, score()).await;
    assert_eq!(answer.status(), StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(answer.headers()["x-ms-run-function-failed"], "true");
}

#[tokio::test]
async fn requests_are_counted_by_route_and_code() {
    let metrics = Metrics::new(Vec::new());
    let router = Router::new(EmbeddedModel::load().unwrap(), metrics.clone());
    for (method, path, body) in [
        ("GET", "/", String::new()),
        ("GET", "/a", String::new()),
        ("GET", "/b", String::new()),
        ("POST", "/score", one_image()),
        ("POST", "/score", "{".to_owned()),
    ] {
        router.clone().oneshot(request(method, path, body)).await.unwrap();
    }
    let text = metrics.encode().unwrap();
    for line in [
        r#"sealgate_frontend_requests_total{route="/",code="200"} 1"#,
        r#"sealgate_frontend_requests_total{route="unknown",code="404"} 2"#,
        r#"sealgate_frontend_requests_total{route="/score",code="200"} 1"#,
        r#"sealgate_frontend_requests_total{route="/score",code="400"} 1"#,
        "sealgate_frontend_images_total 1",
        "sealgate_frontend_scoring_seconds_count 1",
        "sealgate_frontend_requests_in_flight 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
}

#[tokio::test]
async fn the_document_describes_every_route_and_only_those() {
    for (query, member, version) in [("", "swagger", "2.0"), ("?version=3", "openapi", "3.0.3")] {
        let answer = ask(request("GET", &format!("/swagger.json{query}"), "")).await;
        let document: Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(document[member], version);
        let paths = document["paths"].as_object().unwrap();
        let mut described: Vec<&str> = paths.keys().map(String::as_str).collect();
        let mut routes = Route::ALL.map(Route::label);
        described.sort_unstable();
        routes.sort_unstable();
        assert_eq!(described, routes);
        for (path, operations) in paths {
            for method in operations.as_object().unwrap().keys() {
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                assert!(Route::of(path, None).check_method(&method).is_ok(), "{method} {path}");
            }
        }
    }
    for query in ["version=1", "version=", "version", "version=2&version=3x", "x&version=3.0"] {
        let answer = ask(request("GET", &format!("/swagger.json?{query}"), "")).await;
        let expected = if query.starts_with("version=2") { 200 } else { 400 };
        assert_eq!(answer.status().as_u16(), expected, "{query}");
    }
}
