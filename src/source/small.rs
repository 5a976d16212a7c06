//! Small files other than wheels: statements and their signatures.

use reqwest::header::HeaderMap;
use url::Url;

use super::address::Address;
use super::client::Client;
use super::problem::SourceProblem;

impl Client {
    /// The bytes of a small file on the web, at most `largest` bytes. They are not trusted here;
    /// signatures verify them.
    pub async fn small_file(&self, url: &Url, largest: u64) -> Result<Vec<u8>, SourceProblem> {
        let address = Address::new(url.clone());
        let page = self.page(&address, &HeaderMap::new(), largest).await?;
        Ok(page.body)
    }
}
