use std::path::Path;
use std::sync::Arc;

use reqwest::RequestBuilder;
use reqwest::header::CONTENT_TYPE;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tokio::time::Instant;

use super::super::answer::LastBroken;
use super::super::error::{Error, Remedy};
use super::super::meter::Meter;
use super::super::retry::Failure;
use super::super::traffic::Endpoint;
use super::super::transport::Transport;
use super::kept::{Held, Kept, TokenFile};
use super::token::{self, Access, Granted};
use crate::config::settings::{Api, Credential, Secret};

const REFRESH: &str = "/token_authentication/refresh/";
const OAUTH: &str = "/oauth/token/";

/// How access tokens are got: one of the two token endpoints, and what it takes.
pub(in crate::vainu) struct Grant {
    transport: Arc<Transport>,
    endpoint: String,
    credential: Credential,
    token_file: TokenFile,
}

/// What one refresh leaves for the next.
#[derive(Default)]
pub(super) struct Memory {
    /// It may be the only one that is good.
    unwritten: Option<Unwritten>,
    broken: LastBroken,
    /// When the newest refresh token ends, in seconds since 1970, where it tells.
    pub ends: Option<i64>,
}

/// A new refresh token that could not be written.
struct Unwritten {
    kept: Kept,
    /// What the file held then. Where it holds something else, another process has gone on from there.
    before: Option<Kept>,
}

impl Grant {
    pub fn new(transport: Arc<Transport>, api: &Api, credential: &Credential, store: &Path) -> Self {
        let path = match credential {
            Credential::RefreshToken(_) => REFRESH,
            Credential::Client { .. } => OAUTH,
        };
        Self {
            transport,
            endpoint: format!("{}{path}", api.base_url),
            credential: credential.clone(),
            token_file: TokenFile::new(store, api.timeout),
        }
    }

    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub fn remedy(&self) -> Remedy {
        match self.credential {
            Credential::RefreshToken(_) => Remedy::NewRefreshToken,
            Credential::Client { .. } => Remedy::CheckClient,
        }
    }

    /// An access token, by one try.
    pub(super) async fn ask(&self, memory: &mut Memory, meter: &Meter) -> Result<Access, Failure> {
        match &self.credential {
            Credential::RefreshToken(secret) => self.ask_with_newest(secret, memory, meter).await,
            Credential::Client { id, secret } => self.ask_as_client(id, secret, memory, meter).await,
        }
    }

    async fn ask_as_client(
        &self,
        id: &str,
        secret: &Secret,
        memory: &mut Memory,
        meter: &Meter,
    ) -> Result<Access, Failure> {
        let secret = read(secret)?;
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", id),
            ("client_secret", secret.expose_secret()),
            ("scope", "vainu:api"),
        ];
        let request = self.transport.http.post(&self.endpoint).form(&form);
        Ok(self.exchange(request, "access_token", &mut memory.broken, meter).await?.access)
    }

    /// With the newest refresh token: the kept one, and where there is none or it is refused, the configured.
    async fn ask_with_newest(
        &self,
        secret: &Secret,
        memory: &mut Memory,
        meter: &Meter,
    ) -> Result<Access, Failure> {
        let configured = read(secret)?;
        let held = self.token_file.hold().await?;
        let kept = newest(&configured, &held, memory)?;
        if let Some(kept) = kept.clone().filter(|kept| kept.descends_from(&configured)) {
            match self.redeem(&kept.refresh, memory, meter).await {
                Err(Failure::Final(Error::Credentials { status: 400 | 401, .. })) => {
                    tracing::warn!("the kept refresh token was refused: the configured one is tried");
                }
                answer => {
                    let Granted { access, refresh } = answer?;
                    if let Some(refresh) = refresh {
                        keep(Kept::new(refresh, &configured), Some(kept), &held, memory);
                    }
                    return Ok(access);
                }
            }
        }
        let Granted { access, refresh } = self.redeem(&configured, memory, meter).await?;
        match refresh {
            Some(refresh) => keep(Kept::new(refresh, &configured), kept, &held, memory),
            None => held.remove(),
        }
        Ok(access)
    }

    /// Spends a refresh token; what comes back is `refresh` only if it is another one.
    async fn redeem(
        &self,
        token: &SecretString,
        memory: &mut Memory,
        meter: &Meter,
    ) -> Result<Granted, Failure> {
        let body = json!({"refresh": token.expose_secret()}).to_string();
        let request =
            self.transport.http.post(&self.endpoint).header(CONTENT_TYPE, "application/json").body(body);
        let mut granted = self.exchange(request, "access", &mut memory.broken, meter).await?;
        granted.refresh = granted.refresh.filter(|refresh| !same(refresh, token));
        memory.ends = token::end(granted.refresh.as_ref().unwrap_or(token));
        Ok(granted)
    }

    async fn exchange(
        &self,
        request: RequestBuilder,
        key: &str,
        broken: &mut LastBroken,
        meter: &Meter,
    ) -> Result<Granted, Failure> {
        let asked_at = Instant::now();
        let answer = self.transport.send(request, Endpoint::Token, meter).await?;
        let status = answer.status.as_u16();
        if matches!(status, 400 | 401 | 403) {
            let (endpoint, remedy) = (self.endpoint.clone(), self.remedy());
            return Err(Failure::Final(Error::Credentials { endpoint, status, remedy }));
        }
        let answer = answer.unquoted().accepted(&self.endpoint)?;
        token::read(answer, key, asked_at).map_err(|unusable| broken.judge(&self.endpoint, unusable))
    }
}

/// The newest refresh token in place of `configured`; one that could not be written before is written now.
fn newest(configured: &SecretString, held: &Held, memory: &mut Memory) -> Result<Option<Kept>, Failure> {
    let in_file = held.read()?;
    let Some(Unwritten { kept, before }) = memory.unwritten.take() else { return Ok(in_file) };
    let is_next = match (&before, &in_file) {
        (Some(before), Some(in_file)) => same(&before.refresh, &in_file.refresh),
        (None, None) => true,
        _ => false,
    };
    if !is_next || !kept.descends_from(configured) {
        return Ok(in_file);
    }
    keep(kept.clone(), before, held, memory);
    Ok(Some(kept))
}

/// Writes a new refresh token down, in place of what the file held `before`, and makes room for the next.
fn keep(kept: Kept, before: Option<Kept>, held: &Held, memory: &mut Memory) {
    match held.write(&kept) {
        Ok(()) => {
            memory.unwritten = None;
            let _ = held.make_room();
        }
        Err(error) => {
            tracing::error!(%error, "the new refresh token can't be written: until it can, a restart loses it");
            memory.unwritten = Some(Unwritten { kept, before });
        }
    }
}

fn same(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}

fn read(secret: &Secret) -> Result<SecretString, Failure> {
    secret.read().map_err(|error| Failure::Final(error.into()))
}
