// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The admin API: targets over HTTP, on a Unix socket or with client certificates.

mod listen;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, FromRequestParts, Path, Query, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sealgate_frontend::Metrics;
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};
use uuid::Uuid;

use crate::controller::{ControlError, Controller, Readiness, TargetView};
use crate::dns::check::{self, Report};
use crate::operation::{Operation, Problem};
use crate::ssl::SslConfiguration;
use crate::target::{Kind, TargetName};

pub use axum::Router;
pub use listen::{AdminListener, AdminTls, ListenError};

/// Largest body: a chain and a key in PEM, with room.
const MAX_BODY_BYTES: usize = 1 << 20;

/// Longest that an answer is held back for an operation to end.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// What a target is made of.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TargetSpec {
    /// `provisioned`, `attached` or `container`.
    pub kind: KindName,
    /// Group of an attached cluster.
    pub resource_group: Option<String>,
    /// Name of an attached cluster.
    pub cluster_name: Option<String>,
    /// Identifier of an attached cluster, in the place of group and name.
    pub resource_id: Option<String>,
    /// How it is published; by default with a managed certificate under its own name.
    #[serde(default)]
    pub ssl: SslConfiguration,
}

/// Where a target comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum KindName {
    /// A cluster that is made for the purpose.
    Provisioned,
    /// A cluster that was there before.
    Attached,
    /// A single container.
    Container,
}

impl TargetSpec {
    fn kind(&self) -> Result<Kind, ControlError> {
        match (self.kind, &self.resource_group, &self.cluster_name, &self.resource_id) {
            (KindName::Provisioned, None, None, None) => Ok(Kind::Provisioned),
            (KindName::Container, None, None, None) => Ok(Kind::Container),
            (KindName::Attached, Some(_), Some(_), None)
            | (KindName::Attached, None, None, Some(_)) => Ok(Kind::Attached {
                resource_group: self.resource_group.clone(),
                cluster_name: self.cluster_name.clone(),
                resource_id: self.resource_id.clone(),
            }),
            _ => Err(ControlError::ClusterNames),
        }
    }
}

/// A change of a target.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetPatch {
    /// How it is published from now on.
    pub ssl: SslConfiguration,
}

/// All targets.
#[derive(Debug, Serialize, ToSchema)]
pub struct TargetList {
    /// By name.
    pub targets: Vec<TargetView>,
}

/// A refusal.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    /// What is wrong.
    pub error: Problem,
}

/// How long to hold the answer back.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wait {
    #[serde(default)]
    wait_seconds: u64,
}

/// The description of this API.
#[derive(OpenApi)]
#[openapi(
    info(title = "sealgate admin API", description = "Targets, their certificates and names"),
    paths(list, show, create, update, delete, operation, dns, authority, ready),
    components(schemas(ErrorBody))
)]
struct Description;

/// The API in front of `controller`; what it knows is shown with `metrics`.
pub fn router(controller: Controller, metrics: &Metrics) -> Router {
    let metrics = metrics.with_source(Arc::new(controller.clone()));
    Router::new()
        .route("/metrics", get(|| async move { scrape(&metrics) }))
        .route("/v1/targets", get(list))
        .route("/v1/targets/{name}", get(show).put(create).patch(update).delete(delete))
        .route("/v1/targets/{name}/dns", get(dns))
        .route("/v1/operations/{id}", get(operation))
        .route("/v1/authority", get(authority))
        .route("/v1/ready", get(ready))
        .route("/openapi.json", get(|| async { Json(Description::openapi()) }))
        .fallback(|| async {
            Failure::new(404, "unknown-path", "there is nothing at this path; see /openapi.json")
        })
        .method_not_allowed_fallback(|| async {
            Failure::new(405, "method", "this path does not take this method; see /openapi.json")
        })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(controller)
}

/// The description of the API in `OpenAPI` 3.1, as JSON.
///
/// # Errors
///
/// [`serde_json::Error`], which writing to memory does not give.
pub fn openapi_json() -> serde_json::Result<String> {
    Description::openapi().to_pretty_json()
}

#[utoipa::path(get, path = "/v1/targets", responses((status = 200, body = TargetList)))]
async fn list(State(controller): State<Controller>) -> Json<TargetList> {
    Json(TargetList { targets: controller.views() })
}

#[utoipa::path(
    get,
    path = "/v1/targets/{name}",
    params(("name" = String, Path)),
    responses((status = 200, body = TargetView), (status = 404, body = ErrorBody))
)]
async fn show(
    State(controller): State<Controller>,
    Named(name): Named,
) -> Result<Json<TargetView>, Failure> {
    Ok(Json(controller.view(&name)?))
}

#[utoipa::path(
    put,
    path = "/v1/targets/{name}",
    params(("name" = String, Path)),
    request_body = TargetSpec,
    responses(
        (status = 202, body = Operation),
        (status = 409, body = ErrorBody),
        (status = 422, body = ErrorBody)
    )
)]
async fn create(
    State(controller): State<Controller>,
    Named(name): Named,
    spec: Result<Json<TargetSpec>, JsonRejection>,
) -> Result<Accepted, Failure> {
    let Json(spec) = spec?;
    blocking(move || controller.create(&name, spec.kind()?, &spec.ssl, false)).await
}

#[utoipa::path(
    patch,
    path = "/v1/targets/{name}",
    params(("name" = String, Path)),
    request_body = TargetPatch,
    responses(
        (status = 202, body = Operation),
        (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody),
        (status = 422, body = ErrorBody)
    )
)]
async fn update(
    State(controller): State<Controller>,
    Named(name): Named,
    patch: Result<Json<TargetPatch>, JsonRejection>,
) -> Result<Accepted, Failure> {
    let Json(patch) = patch?;
    blocking(move || controller.update(&name, &patch.ssl)).await
}

#[utoipa::path(
    delete,
    path = "/v1/targets/{name}",
    params(("name" = String, Path)),
    responses((status = 202, body = Operation), (status = 404, body = ErrorBody))
)]
async fn delete(
    State(controller): State<Controller>,
    Named(name): Named,
) -> Result<Accepted, Failure> {
    Ok(Accepted(controller.delete(&name)?))
}

#[utoipa::path(
    get,
    path = "/v1/operations/{id}",
    params(
        ("id" = Uuid, Path),
        ("waitSeconds" = Option<u64>, Query, description = "hold the answer back for so long while it runs, at most 60")
    ),
    responses((status = 200, body = Operation), (status = 404, body = ErrorBody))
)]
async fn operation(
    State(controller): State<Controller>,
    id: Result<Path<Uuid>, PathRejection>,
    wait: Result<Query<Wait>, QueryRejection>,
) -> Result<Json<Operation>, Failure> {
    let unknown =
        || Failure::new(404, "unknown-operation", "there is no such operation, or it was long ago");
    let wait = Duration::from_secs(wait?.wait_seconds).min(MAX_WAIT);
    let Path(id) = id.map_err(|_| unknown())?;
    controller.operation(id, wait).await.map(Json).ok_or_else(unknown)
}

#[utoipa::path(
    get,
    path = "/v1/targets/{name}/dns",
    params(("name" = String, Path)),
    responses((status = 200, body = Report), (status = 404, body = ErrorBody))
)]
async fn dns(
    State(controller): State<Controller>,
    Named(name): Named,
) -> Result<Json<Report>, Failure> {
    let (name, expected): (_, Vec<IpAddr>) = controller.expected_addresses(&name)?;
    Ok(Json(check::check(&name, &expected, &check::system_resolvers()).await))
}

#[utoipa::path(
    get,
    path = "/v1/authority",
    responses((status = 200, content_type = "application/x-pem-file"), (status = 404, body = ErrorBody))
)]
async fn authority(State(controller): State<Controller>) -> Result<Response, Failure> {
    let pem = controller.authority_pem().ok_or_else(|| {
        Failure::new(
            404,
            "no-authority",
            "certificates are issued by an authority that clients know",
        )
    })?;
    Ok(([(header::CONTENT_TYPE, "application/x-pem-file")], pem).into_response())
}

#[utoipa::path(
    get,
    path = "/v1/ready",
    responses((status = 200, body = Readiness), (status = 503, body = Readiness))
)]
async fn ready(State(controller): State<Controller>) -> Response {
    let readiness = controller.readiness();
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}

/// Public clients get these numbers too, but for those of targets, which name all there are.
fn scrape(metrics: &Metrics) -> Response {
    match metrics.encode() {
        Ok(text) => ([(header::CONTENT_TYPE, Metrics::CONTENT_TYPE)], text).into_response(),
        Err(_) => Failure::new(500, "internal", "the metrics cannot be written: this is a defect")
            .into_response(),
    }
}

/// Checks of chains and waits for the disk are kept off the threads that serve.
async fn blocking(
    begin: impl FnOnce() -> Result<Operation, ControlError> + Send + 'static,
) -> Result<Accepted, Failure> {
    let runtime = tokio::runtime::Handle::current();
    let operation = tokio::task::spawn_blocking(move || {
        let _entered = runtime.enter();
        begin()
    });
    match operation.await {
        Ok(operation) => Ok(Accepted(operation?)),
        Err(_) => Err(Failure::new(
            500,
            "internal",
            "the request could not be worked on: this is a defect",
        )),
    }
}

/// The target that a path names.
struct Named(TargetName);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(text) =
            path.map_err(|_| Failure::new(400, "bad-path", "the path is not UTF-8"))?;
        Ok(Self(TargetName::parse(&text).map_err(ControlError::from)?))
    }
}

/// An operation that has begun.
struct Accepted(Operation);

impl IntoResponse for Accepted {
    fn into_response(self) -> Response {
        (StatusCode::ACCEPTED, Json(self.0)).into_response()
    }
}

/// A refusal with its status.
#[derive(Debug)]
struct Failure {
    status: StatusCode,
    problem: Problem,
}

impl Failure {
    fn new(status: u16, code: &'static str, message: &str) -> Self {
        let problem = Problem { code, message: message.to_owned(), exit_code: 1 };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, problem }
    }
}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        let problem = error.problem();
        let status =
            StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, problem }
    }
}

impl From<JsonRejection> for Failure {
    fn from(rejection: JsonRejection) -> Self {
        // What serde quotes of the body could be a key: only where it stopped is told.
        let message = match &rejection {
            JsonRejection::JsonDataError(_) => {
                "the body is not what this path takes: a field is unknown, missing or of another type; see /openapi.json"
            }
            JsonRejection::JsonSyntaxError(_) => "the body is not JSON",
            JsonRejection::MissingJsonContentType(_) => "send the body as application/json",
            _ => "the body did not arrive whole, or is too large",
        };
        Self::new(rejection.status().as_u16(), "bad-body", message)
    }
}

impl From<QueryRejection> for Failure {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(rejection.status().as_u16(), "bad-query", "waitSeconds is a number of seconds")
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.status, Json(ErrorBody { error: self.problem })).into_response()
    }
}
