//! The sheets of a spreadsheet of any format, as names and cells.

use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{Data, DataRef, Ods, Reader, SheetType, SheetVisible, Xls, Xlsb, Xlsx, XlsxError};

use super::archive::{Flavour, Package};
use super::cells::cell;
use super::grid::{COLUMNS, Grid};
use super::hidden::HiddenRows;
use super::xlsx_flags::Marks;
use super::{Bytes, corrupt};
use crate::sheet::file_type::Kind;
use crate::sheet::{Refusal, Warning};

/// A spreadsheet that is open.
pub(super) struct Workbook {
    format: Format,
    /// The archive, for what the formats' readers do not tell.
    package: Option<Package>,
}

enum Format {
    Xlsx(Box<Xlsx<Bytes>>),
    Xlsb(Box<Xlsb<Bytes>>),
    Xls(Box<Xls<Bytes>>),
    Ods(Box<Ods<Bytes>>),
}

/// A sheet by its name.
pub(super) struct Named {
    pub(super) name: String,
    pub(super) visible: bool,
}

impl Workbook {
    pub(super) fn open(kind: Kind, bytes: &Bytes) -> Result<Self, Refusal> {
        if kind == Kind::Compound {
            let format = guarded(|| Xls::new(bytes.clone()).map_err(|error| error.to_string()))
                .map(|xls| Format::Xls(Box::new(xls)))
                .map_err(|_| locked(bytes.get_ref()))?;
            return Ok(Self { format, package: None });
        }
        let (package, flavour) = Package::open(bytes.clone())?;
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let bytes = bytes.clone();
        let format = guarded(|| {
            Ok(match flavour {
                Flavour::Xlsx => Format::Xlsx(Box::new(Xlsx::new(bytes).map_err(|e| text(&e))?)),
                Flavour::Xlsb => Format::Xlsb(Box::new(Xlsb::new(bytes).map_err(|e| text(&e))?)),
                Flavour::Ods => Format::Ods(Box::new(Ods::new(bytes).map_err(|e| text(&e))?)),
            })
        });
        match format {
            Ok(format) => Ok(Self { format, package: Some(package) }),
            Err(reason) if reason.contains("password") => Err(encrypted()),
            Err(reason) => Err(corrupt(&reason)),
        }
    }

    /// The format's name.
    pub(super) fn format(&self) -> &'static str {
        match self.format {
            Format::Xlsx(_) => "XLSX",
            Format::Xlsb(_) => "XLSB",
            Format::Xls(_) => "XLS",
            Format::Ods(_) => "ODS",
        }
    }

    /// What to tell about formats whose hidden rows are not recognised.
    pub(super) fn hides_unseen(&self) -> Option<Warning> {
        let message = match self.format {
            Format::Xlsx(_) | Format::Ods(_) => return None,
            Format::Xlsb(_) | Format::Xls(_) => format!(
                "hidden rows are not recognised in {} files: all rows are read",
                self.format()
            ),
        };
        Some(Warning::new("W_HIDDEN_UNSEEN", message))
    }

    /// The sheets that have cells, in their order.
    pub(super) fn sheets(&self) -> Vec<Named> {
        let sheets = match &self.format {
            Format::Xlsx(book) => book.sheets_metadata(),
            Format::Xlsb(book) => book.sheets_metadata(),
            Format::Xls(book) => book.sheets_metadata(),
            Format::Ods(book) => book.sheets_metadata(),
        };
        let with_cells = sheets.iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
        let named = |sheet: &calamine::Sheet| Named {
            name: sheet.name.clone(),
            visible: sheet.visible == SheetVisible::Visible,
        };
        with_cells.map(named).collect()
    }

    /// The first rows of a sheet that hold something, and perhaps more.
    pub(super) fn head(&mut self, sheet: &str, rows: usize) -> Result<Grid, Refusal> {
        self.cells(sheet, rows, false)
    }

    /// All cells of a sheet, and whether it has a filter.
    pub(super) fn read(&mut self, sheet: &str) -> Result<(Grid, bool), Refusal> {
        let marks = self.marks(sheet)?;
        let lenient = !marks.unplaced;
        let mut grid = self.cells(sheet, usize::MAX, lenient)?;
        for (row, column, cell) in &marks.cells {
            grid.push(*row, *column, cell);
        }
        grid.sort();
        grid.hide(|row| marks.hidden.contains(row));
        Ok((grid, marks.hidden.filtered))
    }

    fn marks(&mut self, sheet: &str) -> Result<Marks, Refusal> {
        let unreadable = |error: quick_xml::Error| corrupt(&error.to_string());
        match (&self.format, &mut self.package) {
            (Format::Xlsx(_), Some(package)) => {
                let name = package.sheet_part(sheet);
                let part = name.and_then(|name| package.part(&name));
                let part = part.ok_or_else(|| corrupt("a sheet's part is missing"))?;
                Marks::read(part).map_err(unreadable)
            }
            (Format::Ods(_), Some(package)) => {
                let part = package.part("content.xml");
                let part = part.ok_or_else(|| corrupt("its content is missing"))?;
                let hidden = HiddenRows::of_ods(part, sheet).map_err(unreadable)?;
                Ok(Marks { hidden, ..Marks::default() })
            }
            _ => Ok(Marks::default()),
        }
    }

    /// The cells of so many rows. `lenient` passes over errors that are known from elsewhere.
    fn cells(&mut self, sheet: &str, rows: usize, lenient: bool) -> Result<Grid, Refusal> {
        let format = &mut self.format;
        guarded(|| match format {
            Format::Xlsx(book) => of_xlsx(book, sheet, rows, lenient),
            Format::Xlsb(book) => of_xlsb(book, sheet, rows),
            Format::Xls(book) => {
                of_range(&book.worksheet_range(sheet).map_err(|e| e.to_string())?, rows)
            }
            Format::Ods(book) => {
                of_range(&book.worksheet_range(sheet).map_err(|e| e.to_string())?, rows)
            }
        })
        .map_err(|reason| corrupt(&format!("sheet `{sheet}`: {reason}")))
    }
}

fn of_xlsx(
    book: &mut Xlsx<Bytes>,
    sheet: &str,
    rows: usize,
    lenient: bool,
) -> Result<Grid, String> {
    let mut reader = book.worksheet_cells_reader(sheet).map_err(|error| error.to_string())?;
    let mut grid = Grid::default();
    while grid.len() <= rows {
        let (value, style) = match reader.next_cell_with_style_id() {
            Ok(Some(found)) => found,
            Ok(None) => break,
            Err(XlsxError::CellError(_)) if lenient => continue,
            Err(XlsxError::CellError(_)) if rows < usize::MAX => break,
            Err(error) => return Err(error.to_string()),
        };
        let format = reader.styles().get(style).and_then(|style| style.number_format.as_ref());
        let code = format.map_or("", |format| format.format_code.as_str());
        add(&mut grid, value.get_position(), value.get_value().clone(), code)?;
    }
    Ok(grid)
}

fn of_xlsb(book: &mut Xlsb<Bytes>, sheet: &str, rows: usize) -> Result<Grid, String> {
    let mut reader = book.worksheet_cells_reader(sheet).map_err(|error| error.to_string())?;
    let mut grid = Grid::default();
    while grid.len() <= rows {
        let Some(value) = reader.next_cell().map_err(|error| error.to_string())? else { break };
        add(&mut grid, value.get_position(), value.get_value().clone(), "")?;
    }
    Ok(grid)
}

fn of_range(range: &calamine::Range<Data>, rows: usize) -> Result<Grid, String> {
    let (top, left) = range.start().unwrap_or_default();
    let mut grid = Grid::default();
    for (row, column, value) in range.used_cells() {
        if grid.len() > rows {
            break;
        }
        let far = |_| "a cell stands outside of any sheet".to_owned();
        let row = u32::try_from(row).map_err(far)?.saturating_add(top);
        let column = u32::try_from(column).map_err(far)?.saturating_add(left);
        add(&mut grid, (row, column), borrowed(value), "")?;
    }
    Ok(grid)
}

/// A value of the formats that are read whole, as those that are read by and by give theirs.
fn borrowed(value: &Data) -> DataRef<'_> {
    match value {
        Data::Empty => DataRef::Empty,
        Data::Int(value) => DataRef::Int(*value),
        Data::Float(value) => DataRef::Float(*value),
        Data::String(text) => DataRef::SharedString(text),
        Data::Bool(value) => DataRef::Bool(*value),
        Data::DateTime(date) => DataRef::DateTime(*date),
        Data::DateTimeIso(text) => DataRef::DateTimeIso(text.clone()),
        Data::DurationIso(text) => DataRef::DurationIso(text.clone()),
        Data::Error(error) => DataRef::Error(error.clone()),
    }
}

fn add(grid: &mut Grid, place: (u32, u32), value: DataRef<'_>, code: &str) -> Result<(), String> {
    let (row, column) = place;
    if column >= COLUMNS {
        return Err("a cell stands outside of any sheet".to_owned());
    }
    let cell = cell(value, code);
    if cell != crate::sheet::Cell::Empty {
        grid.push(row, column, &cell);
    }
    Ok(())
}

/// Runs a format's reader, which may give up on damage by a panic.
fn guarded<T>(read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err("its parts contradict each other".to_owned()))
}

fn locked(bytes: &[u8]) -> Refusal {
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    if memchr::memmem::find(bytes, &name).is_some() {
        return encrypted();
    }
    let message = "the file is an old or encrypted spreadsheet that cannot be read";
    Refusal::new("E_ENCRYPTED_OR_LEGACY_XLS", message)
        .hint("open it in a spreadsheet program and save it as XLSX without a password")
}

fn encrypted() -> Refusal {
    Refusal::new("E_ENCRYPTED_OR_LEGACY_XLS", "the spreadsheet is protected by a password")
        .hint("open it in a spreadsheet program and save it without the password")
}
