//! A small encoder of sequential JPEGs with features that libjpeg does not write: any sampling factors, any scans. The
//! coefficients are random, not computed from pixels.

/// The parameters of a file.
#[derive(Clone, Debug)]
pub struct Sequential<'a> {
    pub width: u32,
    pub height: u32,
    /// The factors of each component, horizontal and vertical.
    pub factors: &'a [(u32, u32)],
    /// One scan for all components, or one for each.
    pub interleaved: bool,
    /// MCUs between restart markers; 0 for none.
    pub interval: u16,
    /// 8 or 12.
    pub precision: u8,
}

/// The largest size of the random DC differences and AC values.
const MAX_BITS: u32 = 6;

struct Writer {
    out: Vec<u8>,
    byte: u32,
    bits: u32,
    state: u32,
}

impl Writer {
    fn segment(&mut self, marker: u8, payload: &[u8]) {
        self.out.extend([0xff, marker]);
        self.out.extend((payload.len() as u16 + 2).to_be_bytes());
        self.out.extend(payload);
    }

    fn put(&mut self, value: u32, count: u32) {
        for i in (0..count).rev() {
            self.byte = self.byte << 1 | (value >> i & 1);
            self.bits += 1;
            if self.bits == 8 {
                self.out.push(self.byte as u8);
                if self.byte == 0xff {
                    self.out.push(0);
                }
                (self.byte, self.bits) = (0, 0);
            }
        }
    }

    fn fill_up(&mut self) {
        while self.bits > 0 {
            self.put(1, 1);
        }
    }

    fn draw(&mut self, below: u32) -> u32 {
        self.state = self.state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.state >> 8) % below
    }

    fn block(&mut self) {
        // DC: the code of a size is the size, in four bits. The sign leads back towards the middle, so that values do not run
        // away.
        let size = self.draw(MAX_BITS);
        self.put(size, 4);
        let value = self.draw(1 << size);
        self.put(value, size);
        let mut place = 1;
        loop {
            let (run, size) = (self.draw(12), 1 + self.draw(3));
            place += run + 1;
            if place > 63 {
                break self.put(0, 8);
            }
            // AC: the code of a value is its position in the table, in eight bits.
            self.put(1 + 10 * run + size - 1, 8);
            let value = self.draw(1 << size);
            self.put(value, size);
        }
    }

    fn scan(&mut self, mcus: u32, blocks: u32, interval: u32) {
        for mcu in 0..mcus {
            if interval > 0 && mcu > 0 && mcu % interval == 0 {
                self.fill_up();
                self.out.extend([0xff, 0xd0 + ((mcu / interval - 1) % 8) as u8]);
            }
            (0..blocks).for_each(|_| self.block());
        }
        self.fill_up();
    }
}

impl Sequential<'_> {
    /// The file, with coefficients drawn from `seed`.
    pub fn file(&self, seed: u32) -> Vec<u8> {
        let mut writer = Writer {
            out: vec![0xff, 0xd8],
            byte: 0,
            bits: 0,
            state: seed,
        };
        writer.segment(0xdb, &[&[0][..], &[6; 64]].concat());
        let [height, width] = [self.height, self.width].map(|length| (length as u16).to_be_bytes());
        let count = self.factors.len() as u8;
        let mut frame = [&[self.precision][..], &height, &width, &[count]].concat();
        for (i, (across, down)) in (1..).zip(self.factors) {
            frame.extend([i, (across << 4 | down) as u8, 0]);
        }
        writer.segment(0xc1, &frame);
        let mut counts = [0; 16];
        counts[3] = MAX_BITS as u8;
        let sizes: Vec<u8> = (0..MAX_BITS as u8).collect();
        writer.segment(0xc4, &[&[0][..], &counts, &sizes].concat());
        let mut counts = [0; 16];
        counts[7] = 161;
        let values = (0..16_u8).flat_map(|run| (1..=10).map(move |size| run << 4 | size));
        let values: Vec<u8> = [0].into_iter().chain(values).collect();
        writer.segment(0xc4, &[&[0x10][..], &counts, &values].concat());
        writer.segment(0xdd, &self.interval.to_be_bytes());
        let components: Vec<u8> = (1..=count).collect();
        let scans: Vec<&[u8]> = if self.interleaved {
            vec![&components]
        } else {
            components.chunks(1).collect()
        };
        for scan in scans {
            let mut header = vec![scan.len() as u8];
            header.extend(scan.iter().flat_map(|&id| [id, 0]));
            header.extend([0, 63, 0]);
            writer.segment(0xda, &header);
            let (mcus, blocks) = self.mcus(scan);
            writer.scan(mcus, blocks, self.interval.into());
        }
        writer.out.extend([0xff, 0xd9]);
        writer.out
    }

    /// The MCUs of a scan, and the blocks in each.
    fn mcus(&self, scan: &[u8]) -> (u32, u32) {
        let largest = |part: fn(&(u32, u32)) -> u32| self.factors.iter().map(part).max().unwrap();
        let (across, down) = (largest(|factors| factors.0), largest(|factors| factors.1));
        if let [id] = *scan {
            let (h, v) = self.factors[usize::from(id) - 1];
            let blocks = (self.width * h).div_ceil(8 * across) * (self.height * v).div_ceil(8 * down);
            return (blocks, 1);
        }
        let mcus = self.width.div_ceil(8 * across) * self.height.div_ceil(8 * down);
        (mcus, self.factors.iter().map(|(h, v)| h * v).sum())
    }
}
