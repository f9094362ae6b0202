// SPDX-License-Identifier: Apache-2.0 OR MIT
//! In front of the router: finds the target that a request is for, and holds it to how that is
//! published.

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue, LOCATION, STRICT_TRANSPORT_SECURITY};
use hyper::http::uri::Authority;
use hyper::{Request, Response, StatusCode, Uri, Version};
use tower::{Service, ServiceExt};

use super::challenge::WELL_KNOWN;
use super::{Access, Publications, Published};
use crate::listener::Scheme;
use crate::router::service_of;

type Answer = Response<Full<Bytes>>;

/// The target that a request is for; an extension of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target(pub Arc<str>);

/// Lets through to `S` what is published, each request with its [`Target`].
///
/// The target is found by the host of the request, else by the service in its path, else it is the
/// only one there is. A request that comes plain for a target with TLS never reaches `S`: it is sent
/// on to https, or refused.
#[derive(Debug, Clone)]
pub struct Gate<S> {
    inner: S,
    publications: Publications,
    hsts: Option<HeaderValue>,
}

/// Why a request does not get through.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stop {
    Challenge(Option<String>),
    Redirect(String),
    HttpsOnly,
    Misdirected,
    BadHost,
    Unknown,
}

impl<S> Gate<S> {
    /// A gate in front of `inner`.
    pub fn new(inner: S, publications: Publications) -> Self {
        Self { inner, publications, hsts: None }
    }

    /// Tells clients over TLS to come by https alone for so long (RFC 6797): browsers that were told
    /// do not reach a target whose TLS is disabled before that.
    #[must_use]
    pub fn with_hsts(mut self, max_age: Duration) -> Self {
        self.hsts = HeaderValue::try_from(format!("max-age={}", max_age.as_secs())).ok();
        self
    }

    fn pass<B>(&self, request: &Request<B>) -> Result<Target, Stop> {
        let scheme = request.extensions().get::<Scheme>().cloned().unwrap_or(Scheme::Plain);
        let path = request.uri().path();
        if let (Scheme::Plain, Some(token)) = (&scheme, path.strip_prefix(WELL_KNOWN)) {
            return Err(Stop::Challenge(self.publications.http_challenges().get(token)));
        }
        let host = host(request)?;
        match scheme {
            Scheme::Plain => self.plain(host.as_deref(), request.uri()),
            Scheme::Tls { server_name } => self.tls(host.as_deref(), server_name.as_deref(), path),
        }
    }

    fn plain(&self, host: Option<&str>, uri: &Uri) -> Result<Target, Stop> {
        let named = host.and_then(|host| self.publications.named(host));
        let found = named
            .clone()
            .or_else(|| service_of(uri.path()).and_then(|name| self.publications.of_target(name)))
            .or_else(|| self.single(host, |access| matches!(access, Access::Plain)));
        let Some(found) = found else { return Err(Stop::Unknown) };
        match (&found.publication.access, host) {
            (Access::Plain, _) => Ok(Target(found.target)),
            // Only to a name that the certificate is for.
            (Access::Tls { redirect: Some(port), .. }, Some(host)) if named.is_some() => {
                Err(Stop::Redirect(location(host, *port, uri)))
            }
            (Access::Tls { .. }, _) => Err(Stop::HttpsOnly),
        }
    }

    /// Over TLS everything that is published may be asked for, by the names of the target that the
    /// connection was made to, for as long as it has them.
    fn tls(&self, host: Option<&str>, sni: Option<&str>, path: &str) -> Result<Target, Stop> {
        let named = |name: &str| self.publications.named(name);
        let connected = sni.map(|sni| named(sni).ok_or(Stop::Misdirected)).transpose()?;
        let asked = match (host.and_then(named), host) {
            (Some(found), _) => Some(found),
            (None, Some(host)) if !is_no_name(host) && connected.is_some() => {
                return Err(Stop::Misdirected);
            }
            _ => connected.clone(),
        };
        let asked = asked
            .or_else(|| service_of(path).and_then(|name| self.publications.of_target(name)))
            .or_else(|| self.single(host, |access| matches!(access, Access::Tls { .. })));
        let Some(asked) = asked else { return Err(Stop::Unknown) };
        let same = |connected: Published| connected.target == asked.target;
        if connected.is_none_or(same) { Ok(Target(asked.target)) } else { Err(Stop::Misdirected) }
    }

    /// The only target that is published so, for a client that names none.
    fn single(&self, host: Option<&str>, wanted: impl Fn(&Access) -> bool) -> Option<Published> {
        host.is_none_or(is_no_name).then(|| self.publications.single(wanted)).flatten()
    }
}

/// Whether a host says where something is and not what: an address, or this machine (RFC 6761,
/// section 6.3).
fn is_no_name(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok()
}

impl Stop {
    fn into_answer(self) -> Answer {
        match self {
            Self::Challenge(Some(answer)) => plain_text(StatusCode::OK, answer),
            Self::Challenge(None) => {
                plain_text(StatusCode::NOT_FOUND, "no such challenge\n".to_owned())
            }
            Self::Redirect(location) => {
                let mut answer = Response::new(Full::default());
                *answer.status_mut() = StatusCode::PERMANENT_REDIRECT;
                if let Ok(location) = HeaderValue::try_from(location) {
                    answer.headers_mut().insert(LOCATION, location);
                }
                answer
            }
            Self::HttpsOnly => {
                refusal(StatusCode::FORBIDDEN, "this service is published over https only")
            }
            Self::Misdirected => refusal(
                StatusCode::MISDIRECTED_REQUEST,
                "the host of the request belongs to another service than that of the connection",
            ),
            Self::BadHost => {
                refusal(StatusCode::BAD_REQUEST, "a request names one host, and names it well")
            }
            Self::Unknown => {
                refusal(StatusCode::NOT_FOUND, "no service is published under this name")
            }
        }
    }
}

/// The host that the request names, in lower case, without its port; HTTP/1.1 wants one `Host`, which
/// may be empty (RFC 9112, section 3.2).
fn host<B>(request: &Request<B>) -> Result<Option<String>, Stop> {
    let mut headers = request.headers().get_all(HOST).iter();
    let header = match (headers.next(), headers.next()) {
        (_, Some(_)) => return Err(Stop::BadHost),
        (None, None) if request.version() == Version::HTTP_11 => return Err(Stop::BadHost),
        (None, None) => None,
        (Some(header), None) if header.is_empty() => None,
        (Some(header), None) => {
            Some(Authority::try_from(header.as_bytes()).map_err(|_| Stop::BadHost)?)
        }
    };
    let Some(authority) = request.uri().authority().or(header.as_ref()) else { return Ok(None) };
    let port = authority.as_str().strip_prefix(authority.host()).map(|port| port.strip_prefix(':'));
    match port {
        Some(None | Some("")) => {}
        Some(Some(port)) if port.parse::<u16>().is_ok() => {}
        // Beside the port nothing belongs there, such as a user.
        _ => return Err(Stop::BadHost),
    }
    Ok(Some(authority.host().trim_end_matches('.').to_ascii_lowercase()))
}

fn location(host: &str, port: u16, uri: &Uri) -> String {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    // `OPTIONS *` has none.
    let path = if path.starts_with('/') { path } else { "/" };
    match port {
        443 => format!("https://{host}{path}"),
        port => format!("https://{host}:{port}{path}"),
    }
}

fn plain_text(status: StatusCode, body: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    answer
}

fn refusal(status: StatusCode, why: &str) -> Answer {
    let body = serde_json::json!({ "error": why }).to_string();
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

impl<S, B> Service<Request<B>> for Gate<S>
where
    S: Service<Request<B>, Response = Answer, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = Answer;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>;

    /// Always ready: who is behind it is waited for with the request.
    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // It is for connections that are secure already (RFC 6797, section 7.2).
        let tls = matches!(request.extensions().get(), Some(Scheme::Tls { .. }));
        let hsts = self.hsts.clone().filter(|_| tls);
        let passed = self.pass(&request).map(|target| {
            request.extensions_mut().insert(target);
            self.inner.clone().oneshot(request)
        });
        Box::pin(async move {
            let mut answer = match passed {
                Ok(inner) => inner.await?,
                Err(stop) => stop.into_answer(),
            };
            if let Some(hsts) = hsts {
                answer.headers_mut().insert(STRICT_TRANSPORT_SECURITY, hsts);
            }
            Ok(answer)
        })
    }
}
