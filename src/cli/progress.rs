//! stub
use std::sync::Arc; use crate::event::*;
#[derive(Debug,Clone,Copy,clap::ValueEnum)] pub(crate) enum Progress{Auto,Plain,None}
#[derive(Debug,Clone,Copy)] pub(crate) enum Style{Plain}
impl Style{ pub(crate) fn choose(_:bool,_:Progress,_:bool)->Self{Style::Plain}}
#[derive(Clone)] pub(crate) struct Screen; 
impl Screen{ pub(crate) fn new(_:Style)->Self{Screen} pub(crate) fn watcher(&self,_:Option<String>)->Watcher{Arc::new(Nobody)} pub(crate) fn finish(&self){} pub(crate) fn line(&self,l:&str){eprintln!("{l}")}}
pub(crate) fn schema_events()->serde_json::Value{serde_json::json!({})}
