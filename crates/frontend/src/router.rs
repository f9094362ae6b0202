// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Requests to answers: checks a request, asks the replica, and says what went wrong if it did.

mod refusal;
mod request_id;
mod score;
mod swagger;

use std::convert::Infallible;
use std::error::Error as StdError;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes};
use hyper::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, Response};
use tower::{Service, ServiceExt};

use crate::{Metrics, ReplicaError, ScoreRequest, ScoreResponse, Target};
use refusal::Refusal;
use request_id::RequestIds;

pub use request_id::MAX_REQUEST_ID_CHARS;
pub use score::MAX_IMAGES;

/// Largest body of a request, in bytes. A larger one is answered with 413.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// Time that a client has for the body of a request. A slower one is answered with 408.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Time that a replica has for a request. A slower one is answered for with 504.
const SCORING_TIMEOUT: Duration = Duration::from_secs(60);

const RUN_FN_EXEC_MS: HeaderName = HeaderName::from_static("x-ms-run-fn-exec-ms");
const RUN_FUNCTION_FAILED: HeaderName = HeaderName::from_static("x-ms-run-function-failed");

/// Answers HTTP requests; a [`Service`] that never fails.
///
/// | request | answer |
/// | --- | --- |
/// | `POST /score`, `POST /api/v1/service/NAME/score` | what the replica `R` makes of the images |
/// | `GET /` | `Healthy` |
/// | `GET /metrics` | [`Metrics`] |
/// | `GET /swagger.json` | this table for programs; `?version=3` in `OpenAPI` 3, else Swagger 2.0 |
///
/// `HEAD` is answered wherever `GET` is. Everything else is refused with a status code of its own
/// and `{"error": "..."}`.
#[derive(Debug, Clone)]
pub struct Router<R> {
    replica: R,
    metrics: Metrics,
}

type Answer = Response<Full<Bytes>>;

impl<R> Router<R>
where
    R: Service<ScoreRequest, Response = ScoreResponse, Error = ReplicaError>,
{
    /// A router in front of `replica`, which counts into `metrics` and shows them.
    pub fn new(replica: R, metrics: Metrics) -> Self {
        Self { replica, metrics }
    }

    async fn answer<B>(self, request: Request<B>) -> Answer
    where
        B: Body,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let _in_flight = self.metrics.request();
        let metrics = self.metrics.clone();
        let route = Route::of(request.uri().path(), request.extensions().get::<Target>());
        let (ids, refused) = RequestIds::of(request.headers());
        let answered = match refused {
            Some(refusal) => Err(refusal),
            None => self.dispatch(route, request).await,
        };
        let mut answer = answered.unwrap_or_else(Refusal::into_answer);
        ids.stamp(answer.headers_mut());
        answer.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        metrics.answered(route.label(), answer.status().as_u16());
        answer
    }

    async fn dispatch<B>(self, route: Route, request: Request<B>) -> Result<Answer, Refusal>
    where
        B: Body,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        route.check_method(request.method())?;
        match route {
            Route::Health => Ok(text("text/plain; charset=utf-8", "Healthy\n".to_owned())),
            Route::Metrics => {
                let encoded = self.metrics.encode().map_err(|_| Refusal::Unwritable)?;
                Ok(text(Metrics::CONTENT_TYPE, encoded))
            }
            Route::Swagger => swagger::document(request.uri().query()).map(json),
            Route::Score => self.score(request).await,
            Route::Unknown => Err(Refusal::UnknownPath),
        }
    }

    async fn score<B>(self, request: Request<B>) -> Result<Answer, Refusal>
    where
        B: Body,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        check_content(request.headers())?;
        let body = read_body(request).await?;
        let request = score::parse(&body)?;

        let begun = Instant::now();
        let scored = tokio::time::timeout(SCORING_TIMEOUT, self.replica.oneshot(request)).await;
        let scored = scored.map_err(|_| Refusal::ScoringTimeout)?.map_err(Refusal::of_replica)?;
        let elapsed = begun.elapsed();
        self.metrics.scored(scored.classifications.len(), elapsed);

        let mut answer = json(score::render(&scored)?);
        let headers = answer.headers_mut();
        headers.insert(RUN_FUNCTION_FAILED, HeaderValue::from_static("false"));
        let milliseconds = format!("{:.3}", elapsed.as_secs_f64() * 1e3);
        if let Ok(value) = HeaderValue::try_from(milliseconds) {
            headers.insert(RUN_FN_EXEC_MS, value);
        }
        Ok(answer)
    }
}

impl<R, B> Service<Request<B>> for Router<R>
where
    R: Service<ScoreRequest, Response = ScoreResponse, Error = ReplicaError>
        + Clone
        + Send
        + 'static,
    R::Future: Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    type Response = Answer;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>;

    /// Always ready: a replica that is not makes only its own requests wait.
    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let router = self.clone();
        Box::pin(async move { Ok(router.answer(request).await) })
    }
}

/// What a path stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    Health,
    Score,
    Metrics,
    Swagger,
    Unknown,
}

impl Route {
    /// Every route that exists.
    #[cfg(test)]
    const ALL: [Self; 4] = [Self::Health, Self::Score, Self::Metrics, Self::Swagger];

    /// Where a target is known, the service in the path must be its own.
    fn of(path: &str, target: Option<&Target>) -> Self {
        if let Some(service) = service_of(path) {
            let own = target.is_none_or(|target| *target.0 == *service);
            let score = path.ends_with("/score");
            return if own && score { Self::Score } else { Self::Unknown };
        }
        match path {
            "/" => Self::Health,
            "/score" => Self::Score,
            "/metrics" => Self::Metrics,
            "/swagger.json" => Self::Swagger,
            _ => Self::Unknown,
        }
    }

    /// The path, which is also the value of the metrics' label.
    fn label(self) -> &'static str {
        match self {
            Self::Health => "/",
            Self::Score => "/score",
            Self::Metrics => "/metrics",
            Self::Swagger => "/swagger.json",
            Self::Unknown => "unknown",
        }
    }

    fn check_method(self, method: &Method) -> Result<(), Refusal> {
        let (allowed, allow): (&[Method], _) = match self {
            Self::Health | Self::Metrics | Self::Swagger => {
                (&[Method::GET, Method::HEAD], "GET, HEAD")
            }
            Self::Score => (&[Method::POST], "POST"),
            Self::Unknown => return Ok(()),
        };
        if allowed.contains(method) { Ok(()) } else { Err(Refusal::Method { allow }) }
    }
}

/// The service that a path names: `NAME` of `/api/v1/service/NAME/...`.
pub(crate) fn service_of(path: &str) -> Option<&str> {
    let (service, rest) = path.strip_prefix("/api/v1/service/")?.split_once('/')?;
    (!service.is_empty() && !rest.contains('/')).then_some(service)
}

/// Refuses what cannot be JSON by its own account.
///
/// A missing type, and those that clients send when nobody chose one, are taken for JSON.
fn check_content(headers: &HeaderMap) -> Result<(), Refusal> {
    let coded = headers.get_all(CONTENT_ENCODING).iter();
    if coded.into_iter().any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Refusal::ContentCoding);
    }
    let Some(declared) = headers.get(CONTENT_TYPE) else { return Ok(()) };
    let declared = declared.to_str().unwrap_or_default().to_ascii_lowercase();
    let essence = declared.split(';').next().unwrap_or_default().trim();
    let unchosen =
        ["", "text/plain", "application/octet-stream", "application/x-www-form-urlencoded"];
    if essence == "application/json" || essence.ends_with("+json") || unchosen.contains(&essence) {
        return Ok(());
    }
    Err(Refusal::MediaType)
}

/// Reads the whole body, within its bounds of size and time.
async fn read_body<B>(request: Request<B>) -> Result<Bytes, Refusal>
where
    B: Body,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    // Said early, a client that waits for "100 Continue" need not send its body at all.
    let declared = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if declared.and_then(|length| length.parse::<u64>().ok()) > Some(MAX_BODY_BYTES as u64) {
        return Err(Refusal::BodyTooLarge);
    }
    let body = Limited::new(request.into_body(), MAX_BODY_BYTES).collect();
    match tokio::time::timeout(BODY_TIMEOUT, body).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::BodyTooLarge),
        Ok(Err(_)) => Err(Refusal::BodyBroken),
        Err(_) => Err(Refusal::BodyTimeout),
    }
}

fn text(content_type: &'static str, body: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

fn json(body: String) -> Answer {
    text("application/json", body)
}

#[cfg(test)]
mod tests;
