// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The embedded model: handwritten digits, 8 by 8 pixels.
//!
//! `models/train_digits.py` trains it on scikit-learn's copy of "Optical Recognition of Handwritten
//! Digits" (E. Alpaydin, C. Kaynak; UCI Machine Learning Repository; CC BY 4.0) and writes both
//! files that are embedded here: the network, and the images it never saw in training.

use serde::Deserialize;

use super::{Model, ModelError, argmax};

/// Pixels along one side of an image.
pub const SIDE: usize = 8;

/// Pixels of an image.
pub const PIXELS: usize = SIDE * SIDE;

/// Intensity of full ink; paper is 0.
pub const MAX_INTENSITY: u8 = 16;

/// Number of classes: the digits 0 to 9.
pub const CLASSES: usize = 10;

/// An image: intensities from 0 to [`MAX_INTENSITY`], row by row from the top left.
pub type Image = [f32; PIXELS];

/// The embedded network, loaded.
#[derive(Debug, Clone)]
pub struct Digits {
    model: Model,
    stated: Accuracy,
}

impl Digits {
    /// Loads the embedded network.
    ///
    /// # Errors
    ///
    /// [`ModelError`] when the embedded file is damaged.
    pub fn load() -> Result<Self, ModelError> {
        let model = Model::from_json(MODEL_JSON)?;
        let file: StatedFile = serde_json::from_str(MODEL_JSON).map_err(ModelError::Json)?;
        if model.input_width() != PIXELS {
            let found = model.input_width();
            return Err(ModelError::InputWidth { expected: PIXELS, found });
        }
        if model.output_width() != CLASSES {
            let found = model.output_width();
            return Err(ModelError::OutputWidth { stated: CLASSES, found });
        }
        Ok(Self { model, stated: file.held_out })
    }

    /// What the training script measured on the held-out images.
    pub fn stated_accuracy(&self) -> Accuracy {
        self.stated
    }

    /// Recognises one image.
    ///
    /// # Errors
    ///
    /// None on an [`Image`]; the type is that of [`Model::run`].
    pub fn classify(&self, image: &Image) -> Result<Classification, ModelError> {
        let mut probabilities = [0.0; CLASSES];
        probabilities.copy_from_slice(&self.model.run(image)?);
        Ok(Classification { digit: argmax(&probabilities) as u8, probabilities })
    }
}

/// What the model makes of one image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Classification {
    /// The most probable digit, 0 to 9.
    pub digit: u8,
    /// Probability of each digit; they sum to 1.
    pub probabilities: [f32; CLASSES],
}

/// How well a model does on images it never saw.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Accuracy {
    /// Images shown.
    pub images: usize,
    /// Images recognised.
    pub correct: usize,
    /// `correct / images`, rounded to six decimals.
    pub accuracy: f64,
}

/// An image with the digit that its writer meant.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledImage {
    /// The image.
    pub image: Image,
    /// The digit, 0 to 9.
    pub label: u8,
}

/// The images that were held out of training, with their labels.
///
/// # Errors
///
/// [`ModelError`] when the embedded file is damaged.
pub fn held_out() -> Result<Vec<LabelledImage>, ModelError> {
    let file: HeldOutFile = serde_json::from_str(HELD_OUT_JSON).map_err(ModelError::Json)?;
    if file.images.len() != file.labels.len() {
        return Err(ModelError::HeldOut("there are not as many labels as images"));
    }
    let labelled = file.images.iter().zip(file.labels);
    labelled.map(|(pixels, label)| labelled_image(pixels, label)).collect()
}

fn labelled_image(pixels: &[u8], label: u8) -> Result<LabelledImage, ModelError> {
    if pixels.len() != PIXELS || pixels.iter().any(|pixel| *pixel > MAX_INTENSITY) {
        return Err(ModelError::HeldOut("an image is not 64 intensities from 0 to 16"));
    }
    if usize::from(label) >= CLASSES {
        return Err(ModelError::HeldOut("a label is not a digit"));
    }
    let mut image = [0.0; PIXELS];
    for (to, from) in image.iter_mut().zip(pixels) {
        *to = f32::from(*from);
    }
    Ok(LabelledImage { image, label })
}

const MODEL_JSON: &str = include_str!("../../models/digits.json");
const HELD_OUT_JSON: &str = include_str!("../../models/digits_test.json");

#[derive(Deserialize)]
struct StatedFile {
    held_out: Accuracy,
}

#[derive(Deserialize)]
struct HeldOutFile {
    labels: Vec<u8>,
    images: Vec<Vec<u8>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stated_accuracy_is_the_true_one() {
        let digits = Digits::load().unwrap();
        let images = held_out().unwrap();
        let recognised =
            |shown: &&LabelledImage| digits.classify(&shown.image).unwrap().digit == shown.label;
        let correct = images.iter().filter(recognised).count();

        let stated = digits.stated_accuracy();
        assert_eq!((images.len(), correct), (stated.images, stated.correct));
        #[allow(clippy::cast_precision_loss)]
        let accuracy = correct as f64 / images.len() as f64;
        assert!((accuracy - stated.accuracy).abs() < 1e-6, "{accuracy} is not {stated:?}");
        assert!(images.len() >= 360 && accuracy >= 0.975, "{accuracy} of {}", images.len());
    }

    #[test]
    fn probabilities_sum_to_one_and_favour_the_answer() {
        let digits = Digits::load().unwrap();
        for shown in held_out().unwrap() {
            let found = digits.classify(&shown.image).unwrap();
            let sum: f32 = found.probabilities.iter().sum();
            assert!((sum - 1.0).abs() < 1e-5, "{found:?}");
            let best = found.probabilities[usize::from(found.digit)];
            assert!(found.probabilities.iter().all(|other| *other <= best), "{found:?}");
        }
    }

    #[test]
    fn every_digit_is_among_the_held_out_images() {
        let images = held_out().unwrap();
        for digit in 0..10 {
            assert!(images.iter().any(|shown| shown.label == digit), "{digit} is missing");
        }
    }

    #[test]
    fn damaged_images_are_refused() {
        assert!(matches!(labelled_image(&[0; 63], 1), Err(ModelError::HeldOut(_))));
        assert!(matches!(labelled_image(&[17; 64], 1), Err(ModelError::HeldOut(_))));
        assert!(matches!(labelled_image(&[0; 64], 10), Err(ModelError::HeldOut(_))));
    }
}
