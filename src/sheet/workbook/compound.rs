//! The OLE container of an XLS file: its chains of sectors, checked before the format's reader follows them.
//!
//! The reader follows a chain of sectors without a bound, so that a chain that is a cycle would fill the memory.
//! After this check every chain ends, and the workbook's stream can be read. What the stream contains is checked in
//! [`super::xls_bounds`].

/// A sector number from here on is no sector but a mark, such as the end of a chain.
const FIRST_MARK: u32 = 0xFFFF_FFFA;
/// The size of a header, and of the sectors of most files, in bytes.
const HEADER: usize = 512;
/// The size of an entry of the directory.
const ENTRY: usize = 128;
/// The size of a sector of the stream that holds small streams.
const MINI_SECTOR: usize = 64;
/// Streams below this size are in the stream that holds small streams.
const SMALL_STREAM: u64 = 4096;

/// A chain of sectors that never ends.
const CYCLE: &str = "the list of its sectors runs in a circle";
/// A sector behind the end of the file.
const BEYOND: &str = "the list of its sectors names one that is not in the file";

/// A container whose chains all end.
pub(super) struct CompoundFile<'a> {
    bytes: &'a [u8],
    sector: usize,
    fat: Vec<u32>,
    mini_fat: Vec<u32>,
    mini_stream: Vec<u8>,
    directory: Vec<u8>,
    large: bool,
}

impl<'a> CompoundFile<'a> {
    /// Checks all chains of a file. Without a valid header, which the format's reader refuses, it has none.
    pub(super) fn check_chains(bytes: &'a [u8]) -> Result<Option<Self>, String> {
        let sector = match bytes.get(30..32) {
            Some([9, 0]) if bytes.len() >= HEADER => HEADER,
            Some([12, 0]) if bytes.len() >= HEADER => 8 * HEADER,
            _ => return Ok(None),
        };
        let mut file = Self {
            bytes,
            sector,
            fat: Vec::new(),
            mini_fat: Vec::new(),
            mini_stream: Vec::new(),
            directory: Vec::new(),
            large: sector > HEADER,
        };
        file.fat = file.read_fat()?;
        let read = |at: usize| read_u32(bytes, at).ok_or("its header is cut off");
        file.directory = file.read_stream(read(48)?, u64::MAX)?;
        if read(64)? > 0 {
            let mini_fat = file.read_stream(read(60)?, u64::MAX)?;
            file.mini_fat = read_numbers(&mini_fat);
            let (start, length) = file.entry_place(0).unwrap_or((FIRST_MARK, 0));
            file.mini_stream = file.read_stream(start, length)?;
        }
        Ok(Some(file))
    }

    /// The stream of a name, or nothing if there is none.
    pub(super) fn read_named_stream(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        let wanted: Vec<u8> = name.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
        let entries = self.directory.chunks_exact(ENTRY);
        let index = entries.clone().position(|it| it[..wanted.len()].eq_ignore_ascii_case(&wanted));
        let Some((start, length)) = index.and_then(|index| self.entry_place(index)) else {
            return Ok(None);
        };
        let stream = if length < SMALL_STREAM {
            let mut stream = Vec::new();
            let length = usize::try_from(length).unwrap_or(usize::MAX).div_ceil(MINI_SECTOR);
            let sectors = self.mini_stream.len() / MINI_SECTOR;
            for id in follow_chain(start, &self.mini_fat, length, sectors)? {
                let begin = id as usize * MINI_SECTOR;
                let end = (begin + MINI_SECTOR).min(self.mini_stream.len());
                stream.extend_from_slice(self.mini_stream.get(begin..end).ok_or(BEYOND)?);
            }
            stream
        } else {
            self.read_stream(start, length)?
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(stream.len());
        Ok(Some(stream[..length].to_vec()))
    }

    /// Where the stream of an entry of the directory begins, and its length.
    fn entry_place(&self, index: usize) -> Option<(u32, u64)> {
        let entry = self.directory.chunks_exact(ENTRY).nth(index)?;
        let high = if self.large { read_u32(entry, 124)? } else { 0 };
        let length = u64::from(high) << 32 | u64::from(read_u32(entry, 120)?);
        Some((read_u32(entry, 116)?, length))
    }

    /// The number of sectors that the file has behind its header.
    fn sector_count(&self) -> usize {
        self.bytes.len() / self.sector
    }

    /// A sector, which the end of the file may cut off.
    fn read_sector(&self, id: u32) -> Result<&'a [u8], String> {
        let begin = (id as usize + 1) * self.sector;
        let end = (begin + self.sector).min(self.bytes.len());
        Ok(self.bytes.get(begin..end).ok_or(BEYOND)?)
    }

    fn read_stream(&self, start: u32, length: u64) -> Result<Vec<u8>, String> {
        let mut stream = Vec::new();
        let length = usize::try_from(length).unwrap_or(usize::MAX).div_ceil(self.sector);
        for id in follow_chain(start, &self.fat, length, self.sector_count())? {
            stream.extend_from_slice(self.read_sector(id)?);
        }
        Ok(stream)
    }

    /// The table of the sectors that follow each sector, from the header's list and the sectors that continue it.
    fn read_fat(&self) -> Result<Vec<u32>, String> {
        let header = self.bytes.get(..HEADER).ok_or("its header is cut off")?;
        let mut parts = read_numbers(&header[76..]);
        let mut next = read_u32(header, 68).unwrap_or(FIRST_MARK);
        let mut seen = 0;
        while next < FIRST_MARK {
            seen += 1;
            if seen > self.sector_count() {
                return Err(CYCLE.into());
            }
            parts.extend(read_numbers(self.read_sector(next)?));
            next = parts.pop().ok_or(BEYOND)?;
        }
        parts.retain(|id| *id < FIRST_MARK);
        if parts.len() > self.sector_count() {
            return Err(CYCLE.into());
        }
        let mut fat = Vec::new();
        for id in parts {
            fat.extend(read_numbers(self.read_sector(id)?));
        }
        Ok(fat)
    }
}

/// The first sectors of a chain, up to `length`; an error if they are more than there are.
fn follow_chain(
    start: u32,
    next: &[u32],
    length: usize,
    sectors: usize,
) -> Result<Vec<u32>, String> {
    let mut chain = Vec::new();
    let mut id = start;
    while id < FIRST_MARK {
        if chain.len() > sectors {
            return Err(CYCLE.into());
        }
        chain.push(id);
        if chain.len() >= length {
            break;
        }
        id = *next.get(id as usize).ok_or(BEYOND)?;
    }
    Ok(chain)
}

fn read_numbers(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks::<4>().0.iter().map(|it| u32::from_le_bytes(*it)).collect()
}

fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk::<4>().map(|it| u32::from_le_bytes(*it))
}
