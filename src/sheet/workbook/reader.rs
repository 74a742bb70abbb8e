//! Reads the sheets of a spreadsheet of any format as names and cells.

use calamine::{Data, DataRef, Ods, Reader, SheetType, SheetVisible, Xls, Xlsb, Xlsx, XlsxError};

use super::archive::{ArchiveFormat, SpreadsheetArchive};
use super::cells::convert_cell;
use super::grid::{COLUMNS, CellGrid, ROWS};
use super::hidden::HiddenRows;
use super::merged::{MergedRegion, MergedRegions};
use super::ods_bounds::check_ods_bounds;
use super::xls_bounds::check_xls_bounds;
use super::xlsx_flags::XlsxFlags;
use super::{BytesCursor, corrupt_error};
use crate::concurrency::catch_silently;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::sheet::file_type::SheetFileType;

/// An open spreadsheet.
pub(super) struct WorkbookReader {
    format: FormatReader,
    /// The archive, for information that the format's reader does not provide.
    package: Option<SpreadsheetArchive>,
}

enum FormatReader {
    Xlsx(Box<Xlsx<BytesCursor>>),
    Xlsb(Box<Xlsb<BytesCursor>>),
    Xls(Box<Xls<BytesCursor>>),
    Ods(Box<Ods<BytesCursor>>),
}

/// A sheet that was read.
pub(super) struct ReadSheet {
    pub(super) grid: CellGrid,
    /// Whether it has a filter.
    pub(super) filtered: bool,
    pub(super) merged: MergedRegions,
}

/// A sheet by its name.
pub(super) struct SheetInfo {
    pub(super) name: String,
    pub(super) visible: bool,
}

impl WorkbookReader {
    pub(super) fn open(kind: SheetFileType, bytes: &BytesCursor) -> Result<Self, Diagnostic> {
        if kind == SheetFileType::Compound {
            check_xls_bounds(bytes.get_ref()).map_err(|reason| {
                if is_encrypted(bytes.get_ref()) {
                    encrypted_error()
                } else {
                    corrupt_error(&reason)
                }
            })?;
            let format =
                catch_panics(|| Xls::new(bytes.clone()).map_err(|error| error.to_string()))
                    .map(|xls| FormatReader::Xls(Box::new(xls)))
                    .map_err(|_| unreadable_xls_error(bytes.get_ref()))?;
            return Ok(Self { format, package: None });
        }
        let (mut package, flavour) = SpreadsheetArchive::open(bytes.clone())?;
        if flavour == ArchiveFormat::Ods
            && let Some(content) = package.open_part("content.xml")
        {
            check_ods_bounds(content).map_err(|reason| corrupt_error(&reason))?;
        }
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let bytes = bytes.clone();
        let format = catch_panics(|| {
            Ok(match flavour {
                ArchiveFormat::Xlsx => {
                    FormatReader::Xlsx(Box::new(Xlsx::new(bytes).map_err(|e| text(&e))?))
                }
                ArchiveFormat::Xlsb => {
                    FormatReader::Xlsb(Box::new(Xlsb::new(bytes).map_err(|e| text(&e))?))
                }
                ArchiveFormat::Ods => {
                    FormatReader::Ods(Box::new(Ods::new(bytes).map_err(|e| text(&e))?))
                }
            })
        });
        match format {
            Ok(format) => Ok(Self { format, package: Some(package) }),
            Err(reason) if reason.contains("password") => Err(encrypted_error()),
            Err(reason) => Err(corrupt_error(&reason)),
        }
    }

    /// The format's name.
    pub(super) fn format_name(&self) -> &'static str {
        match self.format {
            FormatReader::Xlsx(_) => "XLSX",
            FormatReader::Xlsb(_) => "XLSB",
            FormatReader::Xls(_) => "XLS",
            FormatReader::Ods(_) => "ODS",
        }
    }

    /// A warning for formats whose hidden rows are not recognized.
    pub(super) fn hidden_rows_warning(&self) -> Option<Diagnostic> {
        let message = match self.format {
            FormatReader::Xlsx(_) | FormatReader::Ods(_) => return None,
            FormatReader::Xls(_) => {
                "hidden rows cannot be detected in XLS files; all rows are read"
            }
            FormatReader::Xlsb(_) => {
                "hidden rows and merged cells cannot be detected in XLSB files; all rows are read, and a cell that is \
                 merged with the one above is empty; save it as `.xlsx` if it has any"
            }
        };
        Some(Diagnostic::new(DiagnosticCode::W_HIDDEN_UNSEEN, message))
    }

    /// The sheets that contain cells, in order.
    pub(super) fn list_sheets(&self) -> Vec<SheetInfo> {
        let sheets = match &self.format {
            FormatReader::Xlsx(workbook) => workbook.sheets_metadata(),
            FormatReader::Xlsb(workbook) => workbook.sheets_metadata(),
            FormatReader::Xls(workbook) => workbook.sheets_metadata(),
            FormatReader::Ods(workbook) => workbook.sheets_metadata(),
        };
        let with_cells = sheets.iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
        let named = |sheet: &calamine::Sheet| SheetInfo {
            name: sheet.name.clone(),
            visible: sheet.visible == SheetVisible::Visible,
        };
        with_cells.map(named).collect()
    }

    /// The first non-empty rows of a sheet, and perhaps more.
    pub(super) fn read_head(&mut self, sheet: &str, rows: usize) -> Result<CellGrid, Diagnostic> {
        let grid = self.read_cells(sheet, rows, false)?;
        let is_blank = (0..grid.row_count()).all(|index| grid.is_blank(index));
        // Texts that only the flags have, because the format's reader does not expect them where they are.
        if is_blank && matches!(self.format, FormatReader::Xlsx(_)) {
            return Ok(self.read_sheet(sheet)?.grid);
        }
        Ok(grid)
    }

    /// All cells of a sheet.
    pub(super) fn read_sheet(&mut self, sheet: &str) -> Result<ReadSheet, Diagnostic> {
        let marks = self.read_flags(sheet)?;
        let lenient = !marks.unplaced;
        let mut grid = self.read_cells(sheet, usize::MAX, lenient)?;
        for (row, column, cell) in &marks.cells {
            grid.push_cell(*row, *column, cell);
        }
        grid.sort_rows();
        grid.mark_hidden_rows(|row| marks.hidden.contains(row));
        Ok(ReadSheet { grid, filtered: marks.hidden.filtered, merged: marks.merged })
    }

    fn read_flags(&mut self, sheet: &str) -> Result<XlsxFlags, Diagnostic> {
        let unreadable = |error: quick_xml::Error| corrupt_error(&error.to_string());
        match (&self.format, &mut self.package) {
            (FormatReader::Xlsx(_), Some(package)) => {
                let name = package.sheet_part_name(sheet);
                let part = name.and_then(|name| package.open_part(&name));
                let part = part.ok_or_else(|| corrupt_error("a sheet's part is missing"))?;
                XlsxFlags::read_sheet_part(part).map_err(unreadable)
            }
            (FormatReader::Ods(_), Some(package)) => {
                let part = package.open_part("content.xml");
                let part = part.ok_or_else(|| corrupt_error("its content is missing"))?;
                let hidden = HiddenRows::from_ods(part, sheet).map_err(unreadable)?;
                let part = package.open_part("content.xml");
                let part = part.ok_or_else(|| corrupt_error("its content is missing"))?;
                let merged = MergedRegions::from_ods(part, sheet).map_err(unreadable)?;
                Ok(XlsxFlags { hidden, merged, ..XlsxFlags::default() })
            }
            (FormatReader::Xls(workbook), _) => {
                let mut merged = MergedRegions::default();
                for found in workbook.merge_cells_by_sheet_name(sheet).unwrap_or_default() {
                    let ((top, left), (bottom, right)) = (found.start, found.end);
                    merged.add(MergedRegion { top, left, bottom, right });
                }
                Ok(XlsxFlags { merged, ..XlsxFlags::default() })
            }
            _ => Ok(XlsxFlags::default()),
        }
    }

    /// The cells of so many rows. `lenient` passes over errors that are known from elsewhere.
    fn read_cells(
        &mut self,
        sheet: &str,
        rows: usize,
        lenient: bool,
    ) -> Result<CellGrid, Diagnostic> {
        let format = &mut self.format;
        catch_panics(|| match format {
            FormatReader::Xlsx(workbook) => read_xlsx_cells(workbook, sheet, rows, lenient),
            FormatReader::Xlsb(workbook) => read_xlsb_cells(workbook, sheet, rows),
            FormatReader::Xls(workbook) => {
                read_range_cells(&workbook.worksheet_range(sheet).map_err(|e| e.to_string())?, rows)
            }
            FormatReader::Ods(workbook) => {
                read_range_cells(&workbook.worksheet_range(sheet).map_err(|e| e.to_string())?, rows)
            }
        })
        .map_err(|reason| corrupt_error(&format!("sheet `{sheet}`: {reason}")))
    }
}

fn read_xlsx_cells(
    workbook: &mut Xlsx<BytesCursor>,
    sheet: &str,
    rows: usize,
    lenient: bool,
) -> Result<CellGrid, String> {
    let mut reader = workbook.worksheet_cells_reader(sheet).map_err(|error| error.to_string())?;
    let mut grid = CellGrid::default();
    while grid.row_count() <= rows {
        let (value, style) = match reader.next_cell_with_style_id() {
            Ok(Some(found)) => found,
            Ok(None) => break,
            Err(XlsxError::CellError(_)) if lenient => continue,
            Err(XlsxError::CellError(_)) if rows < usize::MAX => break,
            Err(error) => return Err(error.to_string()),
        };
        let format = reader.styles().get(style).and_then(|style| style.number_format.as_ref());
        let code = format.map_or("", |format| format.format_code.as_str());
        add_cell(&mut grid, value.get_position(), value.get_value().clone(), code)?;
    }
    Ok(grid)
}

fn read_xlsb_cells(
    workbook: &mut Xlsb<BytesCursor>,
    sheet: &str,
    rows: usize,
) -> Result<CellGrid, String> {
    let mut reader = workbook.worksheet_cells_reader(sheet).map_err(|error| error.to_string())?;
    let mut grid = CellGrid::default();
    while grid.row_count() <= rows {
        let Some(value) = reader.next_cell().map_err(|error| error.to_string())? else { break };
        add_cell(&mut grid, value.get_position(), value.get_value().clone(), "")?;
    }
    Ok(grid)
}

fn read_range_cells(range: &calamine::Range<Data>, rows: usize) -> Result<CellGrid, String> {
    let (top, left) = range.start().unwrap_or_default();
    let mut grid = CellGrid::default();
    for (row, column, value) in range.used_cells() {
        if grid.row_count() > rows {
            break;
        }
        let far = |_| "a cell is outside of any sheet".to_owned();
        let row = u32::try_from(row).map_err(far)?.saturating_add(top);
        let column = u32::try_from(column).map_err(far)?.saturating_add(left);
        add_cell(&mut grid, (row, column), to_data_ref(value), "")?;
    }
    Ok(grid)
}

/// Converts a value of a format that is read at once to the type of the formats that are streamed.
fn to_data_ref(value: &Data) -> DataRef<'_> {
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

fn add_cell(
    grid: &mut CellGrid,
    place: (u32, u32),
    value: DataRef<'_>,
    code: &str,
) -> Result<(), String> {
    let (row, column) = place;
    if column >= COLUMNS || row >= ROWS {
        return Err("a cell is outside of any sheet".to_owned());
    }
    let cell = convert_cell(value, code);
    if cell != crate::sheet::SheetCell::Empty {
        grid.push_cell(row, column, &cell);
    }
    Ok(())
}

/// Runs a format's reader, which may panic on a damaged file.
fn catch_panics<T>(read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_silently(read).unwrap_or_else(|_| Err("its parts contradict each other".to_owned()))
}

fn unreadable_xls_error(bytes: &[u8]) -> Diagnostic {
    if is_encrypted(bytes) {
        return encrypted_error();
    }
    let message = "the file is an old or encrypted spreadsheet that cannot be read";
    Diagnostic::new(DiagnosticCode::E_ENCRYPTED_OR_LEGACY_XLS, message)
        .with_hint("open it in a spreadsheet program and save it as XLSX without a password")
}

/// Whether an OLE container holds an encrypted spreadsheet.
fn is_encrypted(bytes: &[u8]) -> bool {
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    memchr::memmem::find(bytes, &name).is_some()
}

fn encrypted_error() -> Diagnostic {
    Diagnostic::new(
        DiagnosticCode::E_ENCRYPTED_OR_LEGACY_XLS,
        "the spreadsheet is protected by a password",
    )
    .with_hint("open it in a spreadsheet program and save it without the password")
}
