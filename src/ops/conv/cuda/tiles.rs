//! The tiles of `kernels/conv.cu`, and which one computes a pass.

/// A pass of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    /// y from x and w.
    Forward,
    /// dx from dy and w.
    Data,
    /// dw from x and dy.
    Weights,
}

/// A kernel that makes one tile of the result in each block.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tile {
    pub(super) kernel: &'static str,
    rows: usize,
    columns: usize,
    pub(super) threads: usize,
    /// How fast its products are, in percent of the largest tile's: a smaller one loads more for each.
    speed: usize,
}

const fn tile(kernel: &'static str, rows: usize, columns: usize, threads: usize, speed: usize) -> Tile {
    Tile {
        kernel,
        rows,
        columns,
        threads,
        speed,
    }
}

static FORWARD: [Tile; 5] = [
    tile("conv_forward_128x128", 128, 128, 256, 100),
    tile("conv_forward_128x96", 128, 96, 128, 98),
    tile("conv_forward_128x64", 128, 64, 128, 95),
    tile("conv_forward_128x32", 128, 32, 64, 90),
    tile("conv_forward_64x64", 64, 64, 64, 90),
];
static DATA: [Tile; 6] = [
    tile("conv_data_128x128", 128, 128, 256, 100),
    tile("conv_data_128x96", 128, 96, 128, 98),
    tile("conv_data_128x64", 128, 64, 128, 95),
    tile("conv_data_128x48", 128, 48, 64, 93),
    tile("conv_data_128x32", 128, 32, 64, 90),
    tile("conv_data_64x64", 64, 64, 64, 90),
];
static WEIGHTS: [Tile; 4] = [
    tile("conv_weights_128x128", 128, 128, 256, 100),
    tile("conv_weights_96x128", 96, 128, 128, 98),
    tile("conv_weights_128x64", 128, 64, 128, 95),
    tile("conv_weights_64x64", 64, 64, 64, 90),
];
static STRIDED_DATA: Tile = tile("conv_data_64x64_strided", 64, 64, 64, 90);
static SCALAR_FORWARD: Tile = tile("conv_forward_64x64_scalar", 64, 64, 64, 50);
static SCALAR_DATA: Tile = tile("conv_data_64x64_scalar", 64, 64, 64, 50);
static SCALAR_WEIGHTS: Tile = tile("conv_weights_64x64_scalar", 64, 64, 64, 50);

/// The matrix product that a pass is: `groups` products of `rows` × `columns`, summed over `depth`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) depth: usize,
    pub(super) groups: usize,
}

/// Multiprocessors of the GPU for which tiles and parts are chosen, an H100. Another GPU computes the same bits.
const MULTIPROCESSORS: usize = 132;

/// The least depth of a part: with less, a block spends its time on beginning and ending.
const LEAST_DEPTH: usize = 48;

/// The most parts: each is written and read once.
const MOST_PARTS: usize = 64;

impl Grid {
    /// Into how many parts to cut the depth, at most `most`, so that there are two tiles of 128 × 64 for each multiprocessor.
    /// It decides the order of sums, and so depends on nothing but the shape.
    pub(super) fn parts(self, most: usize) -> usize {
        let tiles = self.rows.div_ceil(128) * self.columns.div_ceil(64) * self.groups;
        if tiles >= MULTIPROCESSORS {
            return 1;
        }
        let wanted = (2 * MULTIPROCESSORS).div_ceil(tiles.max(1));
        wanted.min(self.depth / LEAST_DEPTH).min(most).clamp(1, MOST_PARTS)
    }

    /// The launch's blocks, as the head of `kernels/conv.cu` says.
    pub(super) fn blocks(self, pass: Pass, tile: &Tile, parts: usize) -> [usize; 3] {
        let (rows, columns) = (self.rows.div_ceil(tile.rows), self.columns.div_ceil(tile.columns));
        match pass {
            Pass::Forward | Pass::Data => [rows, columns, self.groups * parts],
            Pass::Weights => [columns, rows, self.groups * parts],
        }
    }

    /// Something proportional to the time of the multiprocessor that has the most blocks.
    fn cost(self, tile: &Tile, parts: usize) -> usize {
        let blocks = self.rows.div_ceil(tile.rows) * self.columns.div_ceil(tile.columns) * self.groups * parts;
        blocks.div_ceil(MULTIPROCESSORS) * tile.rows * tile.columns * self.depth.div_ceil(parts) / tile.speed
    }
}

impl Tile {
    /// The tile of a pass: the one with the lowest cost. Bits do not depend on it.
    pub(super) fn of(pass: Pass, is_scalar: bool, is_strided: bool, grid: Grid, parts: usize) -> &'static Self {
        let tiles: &'static [Self] = match (pass, is_scalar) {
            (Pass::Forward, true) => return &SCALAR_FORWARD,
            (Pass::Data, true) => return &SCALAR_DATA,
            (Pass::Weights, true) => return &SCALAR_WEIGHTS,
            (Pass::Data, false) if is_strided => return &STRIDED_DATA,
            (Pass::Forward, false) => &FORWARD,
            (Pass::Data, false) => &DATA,
            (Pass::Weights, false) => &WEIGHTS,
        };
        let (first, others) = (&tiles[0], &tiles[1..]);
        others.iter().fold(first, |best, tile| {
            if grid.cost(tile, parts) < grid.cost(best, parts) {
                tile
            } else {
                best
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_those_of_the_ptx() {
        let ptx = include_str!("../../../../kernels/ptx/conv.ptx");
        let special = [&STRIDED_DATA, &SCALAR_FORWARD, &SCALAR_DATA, &SCALAR_WEIGHTS];
        let all = FORWARD.iter().chain(&DATA).chain(&WEIGHTS).chain(special);
        let mut count = 0;
        for tile in all {
            let (_, entry) = ptx.split_once(&format!(".entry {}(", tile.kernel)).expect(tile.kernel);
            let (_, threads) = entry.split_once(".maxntid ").expect("launch bounds");
            assert_eq!(
                threads.split(',').next(),
                Some(tile.threads.to_string().as_str()),
                "{}",
                tile.kernel
            );
            assert!(tile.kernel.contains(&format!("_{}x{}", tile.rows, tile.columns)));
            count += 1;
        }
        let entries = ptx.matches(".entry conv_").count() - ptx.matches(".entry conv_sum").count();
        assert_eq!(count, entries);
    }

    #[test]
    fn small_products_are_cut_and_large_ones_are_not() {
        let grid = |rows, columns, depth, groups| Grid {
            rows,
            columns,
            depth,
            groups,
        };
        // conv3 of AlexNet at batch 128; fc8; a layer of ten classes.
        assert_eq!(grid(21632, 384, 2304, 1).parts(usize::MAX), 1);
        assert_eq!(grid(128, 1000, 4096, 1).parts(usize::MAX), 17);
        assert_eq!(grid(128, 10, 256, 1).parts(usize::MAX), 5);
        assert_eq!(grid(10, 256, 32, 1).parts(usize::MAX), 1);
        assert_eq!(grid(96, 432, 387_200, 1).parts(16), 16);
    }
}
