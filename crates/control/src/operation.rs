// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Changes under way and what became of them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::target::TargetName;

/// Operations that are remembered; the oldest are forgotten first.
const REMEMBERED: usize = 1024;

/// A change of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// What to ask for it by.
    pub id: Uuid,
    /// The target.
    #[schema(value_type = String)]
    pub target: TargetName,
    /// How far it is.
    pub state: OperationState,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
    /// What an operator should know although it succeeded.
    pub warnings: Vec<String>,
}

/// How far an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub enum OperationState {
    /// It goes on.
    Running,
    /// The change is served, proved and kept.
    Succeeded,
    /// Nothing has changed.
    Failed,
}

/// What is wrong, for programs and for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Which kind, in words that stay.
    pub code: &'static str,
    /// One line: what happened, to what, and the mend.
    pub message: String,
    /// The exit code of the command line for this kind.
    pub exit_code: u8,
}

/// The operations of late.
#[derive(Debug, Clone, Default)]
pub(crate) struct Operations(Arc<Mutex<VecDeque<watch::Receiver<Operation>>>>);

impl Operations {
    /// A new one, which runs.
    pub(crate) fn begin(&self, target: &TargetName) -> Running {
        let operation = Operation {
            id: Uuid::new_v4(),
            target: target.clone(),
            state: OperationState::Running,
            error: None,
            warnings: Vec::new(),
        };
        let (sender, receiver) = watch::channel(operation);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() == REMEMBERED {
            known.pop_front();
        }
        known.push_back(receiver);
        Running(sender)
    }

    /// How far the operation is, once it has ended or `wait` is over.
    pub(crate) async fn wait(&self, id: Uuid, wait: Duration) -> Option<Operation> {
        let mut found = {
            let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            known.iter().find(|operation| operation.borrow().id == id)?.clone()
        };
        let ended = found.wait_for(|operation| operation.state != OperationState::Running);
        // Over, or given up by a server that stops: either way what is there is the answer.
        let _ = tokio::time::timeout(wait, ended).await;
        let operation = found.borrow().clone();
        Some(operation)
    }
}

/// An operation's end that knows how it goes.
#[derive(Debug)]
pub(crate) struct Running(watch::Sender<Operation>);

impl Running {
    pub(crate) fn now(&self) -> Operation {
        self.0.borrow().clone()
    }

    pub(crate) fn end(self, result: Result<Vec<String>, Problem>) {
        self.0.send_modify(|operation| match result {
            Ok(warnings) => {
                operation.state = OperationState::Succeeded;
                operation.warnings = warnings;
            }
            Err(problem) => {
                operation.state = OperationState::Failed;
                operation.error = Some(problem);
            }
        });
    }
}

impl Drop for Running {
    /// One that was given up without an end has failed: nobody waits for it in vain.
    fn drop(&mut self) {
        self.0.send_if_modified(|operation| {
            let running = operation.state == OperationState::Running;
            if running {
                operation.state = OperationState::Failed;
                operation.error = Some(Problem {
                    code: "internal",
                    message: "the change was given up within: this is a defect".to_owned(),
                    exit_code: 1,
                });
            }
            running
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_end_is_waited_for() {
        let operations = Operations::default();
        let target = TargetName::parse("aks").unwrap();
        let running = operations.begin(&target);
        let id = running.now().id;
        let early = operations.wait(id, Duration::ZERO).await.unwrap();
        assert_eq!(early.state, OperationState::Running);
        let waiting = operations.wait(id, Duration::from_secs(60));
        let (ended, ()) = tokio::join!(waiting, async { running.end(Ok(Vec::new())) });
        assert_eq!(ended.unwrap().state, OperationState::Succeeded);
        assert!(operations.wait(Uuid::new_v4(), Duration::ZERO).await.is_none());
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let operations = Operations::default();
        let target = TargetName::parse("aks").unwrap();
        for _ in 0..=REMEMBERED {
            operations.begin(&target);
        }
        assert_eq!(operations.0.lock().unwrap().len(), REMEMBERED);
    }
}
