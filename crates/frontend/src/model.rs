// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A small executor for feed-forward networks, and the network that is embedded.
//!
//! A model is JSON: an input width, an output width and a list of layers (`scale`, `dense`, `relu`,
//! `softmax`). Everything about it is checked when it is loaded, so that running it can fail only
//! on an input of the wrong width. Values are float32, as in training.

pub mod digits;

use serde::Deserialize;
use thiserror::Error;

/// A feed-forward network, checked and ready to run.
#[derive(Debug, Clone)]
pub struct Model {
    input_width: usize,
    output_width: usize,
    layers: Vec<Layer>,
}

impl Model {
    /// Reads a model from its JSON text and checks it.
    ///
    /// # Errors
    ///
    /// [`ModelError`] when the text is not such a model, when the shapes of neighbouring layers do
    /// not fit, or when a number is not finite.
    pub fn from_json(json: &str) -> Result<Self, ModelError> {
        let file: ModelFile = serde_json::from_str(json).map_err(ModelError::Json)?;
        let mut width = file.input.width;
        for (index, layer) in file.layers.iter().enumerate() {
            width = layer.check(index, width)?;
        }
        if width == 0 || width != file.output.width {
            return Err(ModelError::OutputWidth { stated: file.output.width, found: width });
        }
        Ok(Self { input_width: file.input.width, output_width: width, layers: file.layers })
    }

    /// How many numbers [`run`](Self::run) takes.
    pub fn input_width(&self) -> usize {
        self.input_width
    }

    /// How many numbers [`run`](Self::run) returns; at least one.
    pub fn output_width(&self) -> usize {
        self.output_width
    }

    /// Runs the network on one input of [`input_width`](Self::input_width) numbers.
    ///
    /// # Errors
    ///
    /// [`ModelError::InputWidth`] when `input` has another length.
    pub fn run(&self, input: &[f32]) -> Result<Vec<f32>, ModelError> {
        if input.len() != self.input_width {
            return Err(ModelError::InputWidth { expected: self.input_width, found: input.len() });
        }
        let mut values = input.to_vec();
        for layer in &self.layers {
            layer.apply(&mut values);
        }
        Ok(values)
    }
}

/// The index of the largest value; the first of equals, and 0 of an empty slice.
pub fn argmax(values: &[f32]) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = index;
        }
    }
    best
}

/// One step of a network.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Layer {
    /// Every value times one factor.
    Scale { factor: f32 },
    /// `weights * values + bias`.
    Dense(Dense),
    /// Negative values become zero.
    Relu,
    /// Values become probabilities that sum to one.
    Softmax,
}

impl Layer {
    /// Checks the layer at `index`, fed with `width` values; returns how many it hands on.
    fn check(&self, index: usize, width: usize) -> Result<usize, ModelError> {
        match self {
            Self::Scale { factor } if !factor.is_finite() => Err(ModelError::NotFinite { index }),
            Self::Scale { .. } | Self::Relu | Self::Softmax => Ok(width),
            Self::Dense(dense) => dense.check(index, width),
        }
    }

    fn apply(&self, values: &mut Vec<f32>) {
        match self {
            Self::Scale { factor } => values.iter_mut().for_each(|value| *value *= factor),
            Self::Dense(dense) => *values = dense.apply(values),
            Self::Relu => values.iter_mut().for_each(|value| *value = value.max(0.0)),
            Self::Softmax => softmax(values),
        }
    }
}

/// A fully connected layer.
#[derive(Debug, Clone, Deserialize)]
struct Dense {
    inputs: usize,
    outputs: usize,
    /// `outputs` rows of `inputs` weights, one after the other.
    weights: Vec<f32>,
    /// One per output.
    bias: Vec<f32>,
}

impl Dense {
    fn check(&self, index: usize, width: usize) -> Result<usize, ModelError> {
        // Chunks of no weight cannot be cut, and a layer of no output feeds nothing.
        let fits = self.inputs == width
            && width > 0
            && self.outputs > 0
            && self.inputs.checked_mul(self.outputs) == Some(self.weights.len())
            && self.bias.len() == self.outputs;
        if !fits {
            return Err(ModelError::Shape {
                index,
                width,
                inputs: self.inputs,
                outputs: self.outputs,
                weights: self.weights.len(),
                bias: self.bias.len(),
            });
        }
        if !self.weights.iter().chain(&self.bias).all(|value| value.is_finite()) {
            return Err(ModelError::NotFinite { index });
        }
        Ok(self.outputs)
    }

    fn apply(&self, values: &[f32]) -> Vec<f32> {
        let rows = self.weights.chunks_exact(self.inputs);
        rows.zip(&self.bias)
            .map(|(row, bias)| row.iter().zip(values).map(|(w, x)| w * x).sum::<f32>() + bias)
            .collect()
    }
}

/// Softmax in place; the maximum is taken off first so that no exponential overflows.
fn softmax(values: &mut [f32]) {
    let maximum = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for value in &mut *values {
        *value = (*value - maximum).exp();
    }
    let sum: f32 = values.iter().sum();
    for value in values {
        *value /= sum;
    }
}

/// The parts of a model file that running it needs.
#[derive(Deserialize)]
struct ModelFile {
    input: Width,
    output: Width,
    layers: Vec<Layer>,
}

#[derive(Deserialize)]
struct Width {
    width: usize,
}

/// Why a model cannot be loaded or run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The text is not JSON of the expected form.
    #[error("the model file is not a model")]
    Json(#[source] serde_json::Error),
    /// The shape of a dense layer contradicts itself or the layer before it.
    #[error(
        "layer {index} is given {width} values but states {inputs} inputs, {outputs} outputs, \
         {weights} weights and {bias} biases"
    )]
    Shape {
        /// Position of the layer, from 0.
        index: usize,
        /// Number of values the layer before it hands on.
        width: usize,
        /// Stated inputs.
        inputs: usize,
        /// Stated outputs.
        outputs: usize,
        /// Weights found; `inputs * outputs` are needed.
        weights: usize,
        /// Biases found; `outputs` are needed.
        bias: usize,
    },
    /// A number of a layer is infinite in float32.
    #[error("layer {index} holds a number that is not finite")]
    NotFinite {
        /// Position of the layer, from 0.
        index: usize,
    },
    /// The last layer does not hand on what the file states.
    #[error("the model states {stated} outputs but its last layer gives {found}")]
    OutputWidth {
        /// Outputs stated by the file.
        stated: usize,
        /// Outputs of the last layer.
        found: usize,
    },
    /// An input of the wrong length was given.
    #[error("the model takes {expected} numbers, {found} were given")]
    InputWidth {
        /// Numbers the model takes.
        expected: usize,
        /// Numbers given.
        found: usize,
    },
    /// Test images and labels do not fit each other or the model.
    #[error("the held-out images are inconsistent: {0}")]
    HeldOut(&'static str),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(layers: &str, output: usize) -> Result<Model, ModelError> {
        Model::from_json(&format!(
            r#"{{"input":{{"width":2}},"output":{{"width":{output}}},"layers":[{layers}]}}"#
        ))
    }

    #[test]
    fn layers_compute_what_their_names_say() {
        let dense = r#"{"op":"scale","factor":0.5},
            {"op":"dense","inputs":2,"outputs":3,"weights":[1,2,3,4,-5,-6],"bias":[0.5,0,1]},
            {"op":"relu"}"#;
        let output = model(dense, 3).unwrap().run(&[2.0, 4.0]).unwrap();
        assert_eq!(output, [5.5, 11.0, 0.0]);
        assert_eq!(argmax(&output), 1);
    }

    #[test]
    fn softmax_gives_probabilities_however_large_the_values() {
        let output = model(r#"{"op":"softmax"}"#, 2).unwrap().run(&[3e38, 3e38]).unwrap();
        assert_eq!(output, [0.5, 0.5]);
        let output = model(r#"{"op":"softmax"}"#, 2).unwrap().run(&[0.0, 3f32.ln()]).unwrap();
        assert!((output[0] - 0.25).abs() < 1e-6 && (output[1] - 0.75).abs() < 1e-6, "{output:?}");
    }

    #[test]
    fn argmax_takes_the_first_of_equals() {
        assert_eq!(argmax(&[1.0, 7.0, 7.0, 0.0]), 1);
        assert_eq!(argmax(&[]), 0);
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        for layer in [
            r#"{"op":"dense","inputs":3,"outputs":1,"weights":[1,2,3],"bias":[1]}"#,
            r#"{"op":"dense","inputs":2,"outputs":1,"weights":[1,2,3],"bias":[1]}"#,
            r#"{"op":"dense","inputs":2,"outputs":1,"weights":[1,2],"bias":[]}"#,
            r#"{"op":"dense","inputs":2,"outputs":0,"weights":[],"bias":[]}"#,
        ] {
            let refused = model(layer, 1);
            assert!(matches!(refused, Err(ModelError::Shape { index: 0, .. })), "{layer}");
        }
        assert!(matches!(
            model(r#"{"op":"relu"}"#, 3),
            Err(ModelError::OutputWidth { stated: 3, found: 2 })
        ));
        let empty = r#"{"input":{"width":0},"output":{"width":0},"layers":[]}"#;
        assert!(matches!(Model::from_json(empty), Err(ModelError::OutputWidth { .. })));
    }

    #[test]
    fn numbers_beyond_float32_are_refused() {
        let dense = r#"{"op":"dense","inputs":2,"outputs":1,"weights":[1,1e39],"bias":[1]}"#;
        assert!(matches!(model(dense, 1), Err(ModelError::NotFinite { index: 0 })));
        let scale = r#"{"op":"relu"},{"op":"scale","factor":1e39}"#;
        assert!(matches!(model(scale, 2), Err(ModelError::NotFinite { index: 1 })));
    }

    #[test]
    fn what_is_no_model_is_refused() {
        assert!(matches!(model(r#"{"op":"tanh"}"#, 2), Err(ModelError::Json(_))));
        assert!(matches!(Model::from_json("[]"), Err(ModelError::Json(_))));
    }

    #[test]
    fn an_input_of_another_width_is_refused() {
        let model = model(r#"{"op":"relu"}"#, 2).unwrap();
        assert!(matches!(model.run(&[1.0]), Err(ModelError::InputWidth { expected: 2, found: 1 })));
    }
}
