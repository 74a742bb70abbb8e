//! stub
use std::borrow::Cow; use std::time::Duration;
pub(crate) fn safe(t:&str)->Cow<'_,str>{Cow::Borrowed(t)}
pub(crate) fn count(n:u64)->String{n.to_string()}
pub(crate) fn bytes(n:u64)->String{n.to_string()}
pub(crate) fn duration(d:Duration)->String{format!("{d:?}")}
pub(crate) fn plural(n:u64,w:&str)->String{format!("{n} {w}s")}
