//! Softmax and cross-entropy (paper, section 3.5): the multinomial logistic regression objective.
//!
//! ```text
//! p[n][k] = exp(z[n][k]) / Σ over j of exp(z[n][j])
//! loss[n] = −ln p[n][label[n]]
//! dz[n][k] = weight[n] · (p[n][k] − [k = label[n]]) / present,   present = how many rows have weight 1
//! ```
//!
//! z, p, dz: `[N][K]`. Rows of weight 0 (skipped images, and padding at the end of an epoch) do not count.

pub mod cpu;
pub mod cuda;

/// The loss of the present rows of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Loss {
    /// Sum over the present rows, in nats.
    pub sum: f64,
    /// Rows of weight 1.
    pub present: u32,
    /// Present rows whose label has the largest probability (the first one, if several are equal).
    pub correct: u32,
}

impl Loss {
    /// The loss of these rows and those of `other` together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            sum: self.sum + other.sum,
            present: self.present + other.present,
            correct: self.correct + other.correct,
        }
    }

    /// Mean over the present rows; 0 if there are none.
    pub fn mean(&self) -> f64 {
        self.sum / f64::from(self.present.max(1))
    }

    /// The share of present rows whose largest probability is not at the label; 0 if there are none.
    pub fn top1_error(&self) -> f64 {
        f64::from(self.present - self.correct) / f64::from(self.present.max(1))
    }
}
