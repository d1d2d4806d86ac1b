//! Softmax and cross-entropy against the formula, in f64.

use pipeline::ops::softmax::{Loss, cpu};

use crate::given::{assert_close, numbers};

#[test]
fn is_the_formula_over_the_present_rows() {
    let (rows, classes) = (7, 11);
    let z: Vec<f32> = numbers(1, rows * classes).iter().map(|z| 8.0 * z).collect();
    let labels = [0, 10, 5, 3, 3, 9, 1];
    let weights = [1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
    let (mut p_twin, mut dz_twin, mut sum, mut correct) = (Vec::new(), Vec::new(), 0.0, 0);
    for (n, z) in z.chunks(classes).enumerate() {
        let total: f64 = z.iter().map(|z| f64::from(*z).exp()).sum();
        let p: Vec<f64> = z.iter().map(|z| f64::from(*z).exp() / total).collect();
        let label = labels[n] as usize;
        let hit = |k: usize| f64::from(u8::from(k == label));
        dz_twin.extend(
            p.iter()
                .enumerate()
                .map(|(k, p)| f64::from(weights[n]) * (p - hit(k)) / 5.0),
        );
        if weights[n] == 1.0 {
            sum -= p[label].ln();
            correct += u32::from(p.iter().all(|x| *x <= p[label]));
        }
        p_twin.extend(p);
    }
    let (mut p, mut dz) = (vec![0.0; z.len()], vec![9.0; z.len()]);
    cpu::probabilities(&z, classes, &mut p);
    let loss = cpu::loss(&z, &p, classes, &labels, &weights);
    cpu::backward(&p, classes, &labels, &weights, 5, &mut dz);
    assert_close("p", &p, &p_twin, 1e-6);
    assert_close("dz", &dz, &dz_twin, 1e-6);
    assert!(
        (loss.sum - sum).abs() < 1e-5 && loss.present == 5 && loss.correct == correct,
        "{loss:?}"
    );
    assert!((loss.mean() - sum / 5.0).abs() < 1e-6);
}

#[test]
fn no_present_row_gives_zeros() {
    let (mut p, mut dz) = (vec![0.0; 4], vec![9.0; 4]);
    cpu::probabilities(&[1.0, 2.0, 3.0, 4.0], 2, &mut p);
    let loss = cpu::loss(&[1.0, 2.0, 3.0, 4.0], &p, 2, &[0, 1], &[0.0, 0.0]);
    cpu::backward(&p, 2, &[0, 1], &[0.0, 0.0], 0, &mut dz);
    assert_eq!((loss, loss.mean(), loss.top1_error()), (Loss::default(), 0.0, 0.0));
    assert_eq!(dz, [0.0; 4]);
}

#[test]
fn huge_scores_do_not_overflow() {
    let z = [1e30f32, -1e30, 0.0];
    let mut p = [0.0; 3];
    cpu::probabilities(&z, 3, &mut p);
    assert_eq!(p, [1.0, 0.0, 0.0]);
    assert!(cpu::loss(&z, &p, 3, &[1], &[1.0]).sum.is_finite());
}
