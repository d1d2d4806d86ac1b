//! Writes the starting point of the steps, for another program that is to do the same steps.

use std::path::Path;

use safetensors::tensor::{Dtype, TensorView, serialize_to_file};

use crate::cli::Failure;
use crate::model::Parameter;
use crate::ops::Shape;
use crate::text;

/// Writes `images` [N][C][H][W], `labels` [N] and every parameter by name.
pub(super) fn write(
    path: &Path,
    input: Shape,
    images: &[f32],
    labels: &[u32],
    parameters: &[Parameter],
) -> Result<(), Failure> {
    let failed = |error: String| Failure::Failed(format!("{}: cannot be written: {error}", text::path(path)));
    // Frameworks use 64-bit indices.
    let labels: Vec<i64> = labels.iter().copied().map(i64::from).collect();
    let shape = vec![labels.len(), input.channels, input.height, input.width];
    let mut tensors = vec![
        (
            "images",
            TensorView::new(Dtype::F32, shape, bytemuck::cast_slice(images)),
        ),
        (
            "labels",
            TensorView::new(Dtype::I64, vec![labels.len()], bytemuck::cast_slice(&labels)),
        ),
    ];
    for Parameter { name, shape, value, .. } in parameters {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytemuck::cast_slice(value));
        tensors.push((name, view));
    }
    let tensors = tensors.into_iter().map(|(name, view)| view.map(|view| (name, view)));
    let tensors: Vec<_> = tensors
        .collect::<Result<_, _>>()
        .map_err(|error| failed(error.to_string()))?;
    serialize_to_file(tensors, None, path).map_err(|error| failed(error.to_string()))
}
