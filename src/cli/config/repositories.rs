//! The backup repositories that the configuration names: `[repositories.NAME]`.

use std::path::PathBuf;

use toml::de::DeTable;

use super::parse_config::ConfigParser;
use super::{ConfigValue, NAME, TokenCommandSetting, is_plain_name};
use crate::toml_doc::SpannedTomlValue;

const KEYS: [&str; 5] = ["path", "url", "recipients", "identity_command", "identity_file"];

/// A backup repository that the configuration names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct NamedRepository {
    /// Its name.
    pub(in crate::cli) name: String,
    /// Where it is.
    pub(in crate::cli) place: ConfigValue<RepositoryPlace>,
    /// The recipients that its files are encrypted for, instead of those that it was created with.
    pub(in crate::cli) recipients: Option<Vec<String>>,
    /// The program that prints the identities which decrypt its files.
    pub(in crate::cli) identity_command: Option<ConfigValue<TokenCommandSetting>>,
    /// The file with them; absolute.
    pub(in crate::cli) identity_file: Option<ConfigValue<PathBuf>>,
}

/// Where a repository is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum RepositoryPlace {
    /// A directory.
    Directory(PathBuf),
    /// An address, such as that of an object store.
    Url(String),
}

impl ConfigParser<'_> {
    /// Reads the table of repositories.
    pub(super) fn parse_repositories(&mut self, table: &DeTable) -> Vec<NamedRepository> {
        let mut all = Vec::new();
        for (name, value) in table {
            let text = name.get_ref().to_string();
            if !is_plain_name(&text) {
                let message = format!("`{text}` cannot be a repository's name");
                self.report_with_hint(name, message, NAME);
                continue;
            }
            let what = format!("repositories.{text}");
            if let Some(table) = self.doc.read_table(&what, value) {
                all.extend(self.parse_repository(text, table, value));
            }
        }
        all
    }

    fn parse_repository(
        &mut self,
        name: String,
        table: &DeTable,
        whole: SpannedTomlValue,
    ) -> Option<NamedRepository> {
        let (mut place, mut recipients) = (None, None);
        let (mut identity_command, mut identity_file) = (None, None);
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "path" => {
                    let path = self.parse_path("path", value)?;
                    let path = ConfigValue {
                        value: RepositoryPlace::Directory(path.value),
                        place: path.place,
                    };
                    place = Some(path);
                }
                "url" => {
                    let url = self.read_setting("url", value)?;
                    place = Some(ConfigValue {
                        value: RepositoryPlace::Url(url.value),
                        place: url.place,
                    });
                }
                "recipients" => recipients = self.doc.read_text_list("recipients", value),
                "identity_command" => {
                    identity_command = self.parse_command("identity_command", value);
                }
                "identity_file" => identity_file = self.parse_path("identity_file", value),
                _ => self.report_unknown_key(key, "a repository", &KEYS),
            }
        }
        let Some(place) = place else {
            self.report(whole, format_args!("repository `{name}` has neither `path` nor `url`"));
            return None;
        };
        Some(NamedRepository { name, place, recipients, identity_command, identity_file })
    }
}
