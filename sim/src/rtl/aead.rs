// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The AEAD of a lane alone: for known answers and for measuring, without rings and buses around it.

use std::collections::VecDeque;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sealgate_abi::{Key, Suite};

use super::RtlError;
use super::ffi::{AeadInputs, AeadModel, AeadOutputs};

const BEAT_BYTES: usize = 16;

/// Longest additional data that the core's port takes, in bytes.
pub const MAX_AAD_BYTES: usize = 16;

/// Longest text of a record, in bytes.
pub const MAX_TEXT_BYTES: usize = 18_432;

const RESET_CYCLES: u32 = 8;

/// Without a transfer for so many cycles the core is stuck. A wipe of all contexts after reset takes a fifth of it.
const MAX_IDLE_CYCLES: u32 = 20_000;

/// A verilated `sealgate_aead` with somebody at each of its ports.
pub struct Aead {
    model: AeadModel,
    inputs: AeadInputs,
    outputs: AeadOutputs,
    stalls: Option<(StdRng, f64)>,
    cycles: u64,
}

/// Additional data of 0 to 16 bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct AadBytes {
    bytes: [u8; MAX_AAD_BYTES],
    len: u8,
}

/// What is to be done with the text of a [`Job`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Plaintext in, ciphertext out.
    Seal,
    /// Ciphertext in, plaintext out. The comparison of tags is the caller's.
    Open,
}

/// One record for the core.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// Context that holds the key.
    pub context: u16,
    /// Suite of the key.
    pub suite: Suite,
    /// Direction.
    pub operation: Operation,
    /// The nonce.
    pub nonce: [u8; 12],
    /// Additional data.
    pub aad: AadBytes,
    /// The text, at most [`MAX_TEXT_BYTES`].
    pub text: &'a [u8],
    /// A beat of the text that is given to the core with its error bit set.
    pub error_beat: Option<usize>,
}

/// What the core made of a [`Job`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// The text, as long as that of the job.
    pub text: Vec<u8>,
    /// The tag over the ciphertext.
    pub tag: [u8; 16],
    /// Whether the core says that a beat of the text was spoiled.
    pub error: bool,
}

/// The core, or whoever uses it, did not keep to its interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AeadError {
    /// Nothing moved for many cycles although something was to be done.
    #[error("the AEAD is stuck: no transfer in {MAX_IDLE_CYCLES} cycles, up to cycle {cycle}")]
    Stuck {
        /// The cycle in which it was given up.
        cycle: u64,
    },
    /// The end of a text came too early or too late.
    #[error("the AEAD ended the text of record {record} at the wrong beat")]
    WrongEnd {
        /// Index of the job.
        record: usize,
    },
    /// More text came out than went in.
    #[error("the AEAD put out a beat or a tag that nobody asked for, in cycle {cycle}")]
    Unasked {
        /// The cycle in which it came.
        cycle: u64,
    },
    /// Bytes behind the end of the text were not zero.
    #[error("the AEAD put out bytes behind the end of record {record}")]
    NotZero {
        /// Index of the job.
        record: usize,
    },
    /// The text of a job is longer than the port can say.
    #[error("a text of {bytes} bytes is longer than the {MAX_TEXT_BYTES} that the AEAD takes")]
    TextTooLong {
        /// Bytes of the text.
        bytes: usize,
    },
}

impl AadBytes {
    /// Additional data; `None` when it is longer than the port.
    #[must_use]
    pub fn new(aad: &[u8]) -> Option<Self> {
        let mut bytes = [0; MAX_AAD_BYTES];
        bytes.get_mut(..aad.len())?.copy_from_slice(aad);
        Some(Self { bytes, len: aad.len() as u8 })
    }
}

impl Aead {
    /// A core after reset, used without pauses.
    pub fn new() -> Result<Self, RtlError> {
        let mut core = Self {
            model: AeadModel::new()?,
            inputs: AeadInputs::default(),
            outputs: AeadOutputs::default(),
            stalls: None,
            cycles: 0,
        };
        for _ in 0..RESET_CYCLES {
            core.step();
        }
        core.inputs.rst_n = true;
        Ok(core)
    }

    /// From now on commands and text come with pauses, and output and tags have to wait, each with this chance (0.0 to
    /// below 1.0) in each cycle.
    #[must_use]
    pub fn with_stalls(mut self, seed: u64, chance: f64) -> Self {
        self.stalls = Some((StdRng::seed_from_u64(seed), chance.clamp(0.0, 0.95)));
        self
    }

    /// Clock cycles since the start of reset.
    #[must_use]
    pub fn cycles(&self) -> u64 {
        self.cycles
    }

    /// Loads a key and waits until it can be used.
    pub fn load_key(&mut self, context: u16, key: Key<'_>) -> Result<(), AeadError> {
        let mut bytes = [0; 32];
        match key {
            Key::Aes128(key) => bytes[..16].copy_from_slice(key),
            Key::Aes256(key) | Key::Chacha20(key) => bytes = *key,
        }
        self.inputs.key_valid = true;
        self.inputs.key_ctx = context;
        self.inputs.key_data = bytemuck::cast(bytes);
        self.inputs.key_suite = key.suite() as u8;
        self.step_until(|outputs| outputs.key_ready != 0)?;
        self.inputs.key_valid = false;
        self.inputs.key_data = [0; 4];
        self.step_until(|outputs| outputs.key_done != 0)
    }

    /// Wipes the key of a context.
    pub fn wipe(&mut self, context: u16) -> Result<(), AeadError> {
        self.inputs.wipe_valid = true;
        self.inputs.wipe_ctx = context;
        self.step_until(|outputs| outputs.wipe_ready != 0)?;
        self.inputs.wipe_valid = false;
        // The port is free again when the wipe is done.
        self.step_until(|outputs| outputs.wipe_ready != 0)
    }

    /// Seals or opens one record.
    pub fn run_one(&mut self, job: Job<'_>) -> Result<Output, AeadError> {
        let mut outputs = self.run(&[job])?;
        Ok(outputs.pop().unwrap_or_default())
    }

    /// Seals and opens records one behind the other, as fast as the core takes them. The outputs come in the order of
    /// the jobs.
    pub fn run(&mut self, jobs: &[Job<'_>]) -> Result<Vec<Output>, AeadError> {
        if let Some(job) = jobs.iter().find(|job| job.text.len() > MAX_TEXT_BYTES) {
            return Err(AeadError::TextTooLong { bytes: job.text.len() });
        }
        let mut stream = Stream::new(jobs);
        let mut idle = 0;
        while !stream.is_done() {
            stream.drive(&mut self.inputs, &mut self.stalls);
            self.step();
            let moved = stream.observe(&mut self.inputs, &self.outputs, self.cycles)?;
            idle = if moved { 0 } else { idle + 1 };
            if idle > MAX_IDLE_CYCLES {
                return Err(AeadError::Stuck { cycle: self.cycles });
            }
        }
        self.inputs = AeadInputs { rst_n: true, ..AeadInputs::default() };
        Ok(stream.outputs)
    }

    fn step(&mut self) {
        self.model.step(&self.inputs, &mut self.outputs);
        self.cycles += 1;
    }

    fn step_until(&mut self, reached: impl Fn(&AeadOutputs) -> bool) -> Result<(), AeadError> {
        for _ in 0..MAX_IDLE_CYCLES {
            self.step();
            if reached(&self.outputs) {
                return Ok(());
            }
        }
        Err(AeadError::Stuck { cycle: self.cycles })
    }
}

impl std::fmt::Debug for Aead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Aead").field("cycles", &self.cycles).finish_non_exhaustive()
    }
}

/// Jobs on their way through the ports.
struct Stream<'a> {
    jobs: &'a [Job<'a>],
    next_command: usize,
    /// Beats of text still to be given to the core, of all jobs.
    text: VecDeque<Beat>,
    /// The job whose text comes out next, and the one whose tag does.
    next_text: usize,
    next_tag: usize,
    outputs: Vec<Output>,
}

struct Beat {
    data: [u8; BEAT_BYTES],
    error: bool,
}

impl<'a> Stream<'a> {
    fn new(jobs: &'a [Job<'a>]) -> Self {
        let beats = jobs.iter().flat_map(|job| {
            job.text.chunks(BEAT_BYTES).enumerate().map(|(at, chunk)| {
                let mut data = [0; BEAT_BYTES];
                data[..chunk.len()].copy_from_slice(chunk);
                Beat { data, error: job.error_beat == Some(at) }
            })
        });
        let outputs = vec![Output::default(); jobs.len()];
        let text = beats.collect();
        let mut stream = Self { jobs, next_command: 0, text, next_text: 0, next_tag: 0, outputs };
        stream.skip_complete_texts();
        stream
    }

    fn is_done(&self) -> bool {
        self.next_tag == self.jobs.len() && self.next_text == self.jobs.len()
    }

    /// What the ports are given in this cycle. An offer that was not taken stands.
    fn drive(&self, inputs: &mut AeadInputs, stalls: &mut Option<(StdRng, f64)>) {
        let mut pauses = || stalls.as_mut().is_some_and(|(rng, chance)| rng.random_bool(*chance));
        if !inputs.cmd_valid
            && let Some(job) = self.jobs.get(self.next_command)
            && !pauses()
        {
            inputs.cmd_valid = true;
            inputs.cmd_ctx = job.context;
            inputs.cmd_suite = job.suite as u8;
            inputs.cmd_open = job.operation == Operation::Open;
            for (word, bytes) in inputs.cmd_nonce.iter_mut().zip(job.nonce.as_chunks().0) {
                *word = u32::from_le_bytes(*bytes);
            }
            inputs.cmd_aad = bytemuck::cast(job.aad.bytes);
            inputs.cmd_aad_bytes = job.aad.len;
            inputs.cmd_text_bytes = job.text.len() as u16;
        }
        if !inputs.in_valid
            && let Some(beat) = self.text.front()
            && !pauses()
        {
            inputs.in_valid = true;
            inputs.in_data = bytemuck::cast(beat.data);
            inputs.in_error = beat.error;
        }
        inputs.out_ready = !pauses();
        inputs.tag_ready = !pauses();
    }

    /// What the ports gave; `true` if anything moved. What was taken is no longer offered.
    fn observe(
        &mut self,
        inputs: &mut AeadInputs,
        outputs: &AeadOutputs,
        cycle: u64,
    ) -> Result<bool, AeadError> {
        let command = inputs.cmd_valid && outputs.cmd_ready != 0;
        let text = inputs.in_valid && outputs.in_ready != 0;
        let out = inputs.out_ready && outputs.out_valid != 0;
        let tag = inputs.tag_ready && outputs.tag_valid != 0;
        if command {
            inputs.cmd_valid = false;
            self.next_command += 1;
        }
        if text {
            inputs.in_valid = false;
            self.text.pop_front();
        }
        if out {
            self.take_text(bytemuck::cast(outputs.out_data), outputs.out_last != 0, cycle)?;
        }
        if tag {
            let output = self.outputs.get_mut(self.next_tag);
            let output = output.ok_or(AeadError::Unasked { cycle })?;
            output.tag = bytemuck::cast(outputs.tag);
            output.error = outputs.tag_error != 0;
            self.next_tag += 1;
        }
        Ok(command || text || out || tag)
    }

    fn take_text(
        &mut self,
        beat: [u8; BEAT_BYTES],
        last: bool,
        cycle: u64,
    ) -> Result<(), AeadError> {
        let record = self.next_text;
        let job = self.jobs.get(record).ok_or(AeadError::Unasked { cycle })?;
        let text = &mut self.outputs[record].text;
        let bytes = (job.text.len() - text.len()).min(BEAT_BYTES);
        text.extend_from_slice(&beat[..bytes]);
        if beat[bytes..].iter().any(|&byte| byte != 0) {
            return Err(AeadError::NotZero { record });
        }
        if last != (text.len() == job.text.len()) {
            return Err(AeadError::WrongEnd { record });
        }
        self.skip_complete_texts();
        Ok(())
    }

    /// A job without text has no beat.
    fn skip_complete_texts(&mut self) {
        while let Some(job) = self.jobs.get(self.next_text)
            && self.outputs[self.next_text].text.len() == job.text.len()
        {
            self.next_text += 1;
        }
    }
}
