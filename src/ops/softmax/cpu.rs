//! Softmax and cross-entropy on the CPU. Rows are few and short, so they are processed one after another.

use super::Loss;

/// p from z, row by row.
pub fn probabilities(logits: &[f32], classes: usize, probabilities: &mut [f32]) {
    for (z, p) in logits
        .chunks_exact(classes)
        .zip(probabilities.chunks_exact_mut(classes))
    {
        let largest = z.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut sum = 0.0f64;
        for (p, z) in p.iter_mut().zip(z) {
            *p = (z - largest).exp();
            sum += f64::from(*p);
        }
        let scale = (1.0 / sum) as f32;
        for p in p {
            *p *= scale;
        }
    }
}

/// The loss of all rows with a weight other than 0, from z and p.
pub fn loss(logits: &[f32], probabilities: &[f32], classes: usize, labels: &[u32], weights: &[f32]) -> Loss {
    let mut loss = Loss::default();
    let rows = logits.chunks_exact(classes).zip(probabilities.chunks_exact(classes));
    for ((z, p), (&label, _)) in rows
        .zip(labels.iter().zip(weights))
        .filter(|(_, (_, weight))| **weight != 0.0)
    {
        let label = label as usize;
        let largest = z.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f64 = z.iter().map(|z| f64::from(z - largest).exp()).sum();
        loss.sum += sum.ln() + f64::from(largest) - f64::from(z[label]);
        loss.present += 1;
        loss.correct += u32::from(first_largest(p) == label);
    }
    loss
}

/// dz, divided by `present`. Rows of weight 0 get zeros.
pub fn backward(probabilities: &[f32], classes: usize, labels: &[u32], weights: &[f32], present: u32, dz: &mut [f32]) {
    let scale = 1.0 / present.max(1) as f32;
    let rows = probabilities.chunks_exact(classes).zip(dz.chunks_exact_mut(classes));
    for ((p, dz), (&label, &weight)) in rows.zip(labels.iter().zip(weights)) {
        if weight == 0.0 {
            dz.fill(0.0);
            continue;
        }
        dz.iter_mut().zip(p).for_each(|(dz, p)| *dz = p * scale);
        dz[label as usize] = (p[label as usize] - 1.0) * scale;
    }
}

/// The index of the largest value; the first one if several are equal.
pub fn first_largest(values: &[f32]) -> usize {
    values
        .iter()
        .enumerate()
        .fold(0, |best, (i, value)| if *value > values[best] { i } else { best })
}
