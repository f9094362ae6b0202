// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What the responder of a certificate says of it goes to clients with the handshake.

use std::sync::Arc;
use std::time::SystemTime;

use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;
use sealgate_frontend::{Access, Publication};
use tokio::task::AbortHandle;

use super::{ControlError, Controller};
use crate::certificate::Checked;
use crate::ocsp::{News, OcspError, Query, Staple, Stapler};
use crate::target::TargetName;

/// Where the store keeps the status of a target's certificate.
fn secret(name: &TargetName) -> String {
    format!("staple/{name}")
}

/// Asks the responder of one certificate until this is dropped.
#[derive(Debug)]
pub(super) struct Stapling(AbortHandle);

impl Drop for Stapling {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Controller {
    /// The status that a certificate is not to be served without, if it says so (RFC 7633).
    pub(super) async fn required_staple(checked: &Checked) -> Result<Option<Staple>, ControlError> {
        if !checked.summary().must_staple {
            return Ok(None);
        }
        match Query::of(checked)? {
            Some(query) => Ok(Some(query.ask().await?)),
            // The checks want a responder; its issuer is there but for a certificate alone.
            None => Ok(None),
        }
    }

    /// The status that was had last, if it is one of this certificate and still to be sent.
    pub(super) fn kept_staple(&self, name: &TargetName, checked: &Checked) -> Option<Staple> {
        let query = Query::of(checked).ok()??;
        let kept = self.shared.parts.store.secret(&secret(name)).ok()??;
        query.verify(kept.to_vec(), SystemTime::now()).ok()
    }

    /// What is kept goes with the target, and with a certificate that was revoked.
    pub(super) fn forget_staple(&self, name: &TargetName) {
        if let Err(error) = self.shared.parts.store.forget_secret(&secret(name)) {
            tracing::warn!(target = %name, %error, "the status of its certificate could not be forgotten");
        }
    }

    fn keep_staple(&self, name: &TargetName, response: &[u8]) {
        if let Err(error) = self.shared.parts.store.keep_secret(&secret(name), response) {
            tracing::warn!(target = %name, %error, "the status of its certificate could not be kept");
        }
    }

    /// From now on asks the responder of the target's certificate, if it names one.
    pub(super) fn staple(&self, name: &TargetName, checked: &Checked) {
        let query = match Query::of(checked) {
            Ok(Some(query)) => query,
            Ok(None) => return,
            Err(error) => return self.note_staple(name, checked.leaf(), Some(&error)),
        };
        let (controller, leaf) = (self.clone(), checked.leaf().clone());
        let (name, target) = (name.clone(), name);
        let task = tokio::spawn(async move {
            let mut stapler = Stapler::new(query);
            loop {
                let news = stapler.next().await;
                controller.take_news(&name, &leaf, news).await;
            }
        });
        let stapling = Arc::new(Stapling(task.abort_handle()));
        if let Some(entry) = self.entries().get_mut(target) {
            entry.stapling = Some(stapling);
        }
    }

    async fn take_news(&self, name: &TargetName, leaf: &CertificateDer<'static>, news: News) {
        match news {
            News::Fresh(staple) => {
                self.keep_staple(name, &staple.response);
                self.restaple(name, leaf, Some(staple.response)).await;
                self.note_staple(name, leaf, None);
            }
            News::Expired => self.restaple(name, leaf, None).await,
            News::Failed(error) => {
                if matches!(error, OcspError::Revoked { .. }) {
                    self.forget_staple(name);
                    self.restaple(name, leaf, None).await;
                }
                self.note_staple(name, leaf, Some(&error));
            }
        }
    }

    /// Serves the certificate with another status, if it is still served.
    async fn restaple(
        &self,
        name: &TargetName,
        leaf: &CertificateDer<'static>,
        ocsp: Option<Vec<u8>>,
    ) {
        let _committing = self.shared.committing.lock().await;
        let publications = &self.shared.parts.publications;
        let Some(present) = publications.publication(name.as_str()) else { return };
        let Access::Tls { certificate, redirect } = &present.access else { return };
        if certificate.cert.first() != Some(leaf) {
            return;
        }
        let certificate = Arc::new(CertifiedKey { ocsp, ..CertifiedKey::clone(certificate) });
        let access = Access::Tls { certificate, redirect: *redirect };
        publications.publish(name.as_str(), Publication { names: present.names.clone(), access });
    }

    /// What became of asking is for the log, and for the readiness of the server.
    fn note_staple(
        &self,
        name: &TargetName,
        leaf: &CertificateDer<'static>,
        error: Option<&OcspError>,
    ) {
        let mut entries = self.entries();
        let Some(entry) = entries.get_mut(name) else { return };
        if entry.summary.as_ref().is_none_or(|summary| summary.leaf != *leaf) {
            return;
        }
        let error = error.map(ToString::to_string);
        if let Some(error) = error.as_ref().filter(|_| error != entry.staple_error) {
            tracing::warn!(target = %name, "{error}");
        }
        entry.staple_error = error;
    }
}
