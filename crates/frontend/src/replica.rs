// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What scores: a replica is a [`Service`] from [`ScoreRequest`] to [`ScoreResponse`].

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use thiserror::Error;
use tokio::sync::Semaphore;
use tower::Service;

use crate::model::ModelError;
use crate::model::digits::{Classification, Digits, Image};

/// Requests that the embedded model scores at once; further ones queue.
const MAX_CONCURRENT_RUNS: usize = 16;

/// How long a request queues for a free run before it is told that the replica is overloaded.
const MAX_QUEUE_TIME: Duration = Duration::from_millis(500);

/// Images scored before the thread is offered to other connections.
const IMAGES_PER_TURN: usize = 32;

/// Images to recognise.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreRequest {
    /// The images, in the order of the answer.
    pub images: Vec<Image>,
}

/// What was recognised, in the order of the images.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreResponse {
    /// One for each image.
    pub classifications: Vec<Classification>,
}

/// Why a replica did not answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReplicaError {
    /// All runs are taken and none became free in time; a later try may succeed.
    #[error("the model is busy: try again later")]
    Overloaded,
    /// The model failed on this request.
    #[error("the model failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The digits model that is part of the program, as a replica.
///
/// At most 16 requests are scored at once. Further ones wait for at most half a second, then get
/// [`ReplicaError::Overloaded`].
#[derive(Debug, Clone)]
pub struct EmbeddedModel {
    digits: Arc<Digits>,
    runs: Arc<Semaphore>,
}

impl EmbeddedModel {
    /// Loads the embedded model.
    ///
    /// # Errors
    ///
    /// [`ModelError`] when the embedded file is damaged.
    pub fn load() -> Result<Self, ModelError> {
        let digits = Arc::new(Digits::load()?);
        Ok(Self { digits, runs: Arc::new(Semaphore::new(MAX_CONCURRENT_RUNS)) })
    }

    async fn score(self, request: ScoreRequest) -> Result<ScoreResponse, ReplicaError> {
        let queued = tokio::time::timeout(MAX_QUEUE_TIME, self.runs.acquire()).await;
        let Ok(Ok(_run)) = queued else { return Err(ReplicaError::Overloaded) };
        let mut classifications = Vec::with_capacity(request.images.len());
        for turn in request.images.chunks(IMAGES_PER_TURN) {
            for image in turn {
                let classified = self.digits.classify(image);
                classifications
                    .push(classified.map_err(|error| ReplicaError::Failed(error.into()))?);
            }
            tokio::task::yield_now().await;
        }
        Ok(ScoreResponse { classifications })
    }
}

impl Service<ScoreRequest> for EmbeddedModel {
    type Response = ScoreResponse;
    type Error = ReplicaError;
    type Future = Pin<Box<dyn Future<Output = Result<ScoreResponse, ReplicaError>> + Send>>;

    /// Always ready: the queue is inside the call, where its wait is bounded.
    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), ReplicaError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: ScoreRequest) -> Self::Future {
        Box::pin(self.clone().score(request))
    }
}

#[cfg(test)]
mod tests {
    use tower::ServiceExt;

    use super::*;
    use crate::model::digits::held_out;

    #[tokio::test]
    async fn answers_in_the_order_of_the_images() {
        let shown = held_out().unwrap();
        let images: Vec<Image> = shown.iter().map(|labelled| labelled.image).collect();
        let replica = EmbeddedModel::load().unwrap();
        let answer =
            replica.clone().oneshot(ScoreRequest { images: images.clone() }).await.unwrap();
        assert_eq!(answer.classifications.len(), images.len());
        for (image, found) in images.iter().zip(&answer.classifications) {
            assert_eq!(*found, replica.digits.classify(image).unwrap());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_queue_is_told_so_and_drains() {
        let replica = EmbeddedModel::load().unwrap();
        let request = ScoreRequest { images: vec![[0.0; 64]] };
        let taken = replica.runs.acquire_many(MAX_CONCURRENT_RUNS as u32).await.unwrap();
        let refused = replica.clone().oneshot(request.clone()).await;
        assert!(matches!(refused, Err(ReplicaError::Overloaded)));
        drop(taken);
        assert_eq!(replica.clone().oneshot(request).await.unwrap().classifications.len(), 1);
    }
}
