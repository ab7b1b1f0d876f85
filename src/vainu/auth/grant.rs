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
use super::super::transport::Transport;
use super::token::{self, Access, Granted};
use crate::config::settings::{Credential, Secret};

const REFRESH: &str = "/token_authentication/refresh/";
const OAUTH: &str = "/oauth/token/";

/// How access tokens are got: one of the two token endpoints, and what it takes.
pub(in crate::vainu) struct Grant {
    transport: Arc<Transport>,
    endpoint: String,
    credential: Credential,
}

/// What one refresh leaves for the next.
#[derive(Default)]
pub(super) struct Memory {
    rotated: Option<Rotated>,
    broken: LastBroken,
}

/// A refresh token that the server gave in place of a configured one.
struct Rotated {
    token: SecretString,
    /// The configured one. Another one there means that the user has replaced it.
    descends_from: SecretString,
}

impl Grant {
    pub fn new(transport: Arc<Transport>, base_url: &str, credential: &Credential) -> Self {
        let path = match credential {
            Credential::RefreshToken(_) => REFRESH,
            Credential::Client { .. } => OAUTH,
        };
        Self { transport, endpoint: format!("{base_url}{path}"), credential: credential.clone() }
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

    /// With the rotated refresh token, and with the configured one where there is none or it is refused.
    async fn ask_with_newest(
        &self,
        secret: &Secret,
        memory: &mut Memory,
        meter: &Meter,
    ) -> Result<Access, Failure> {
        let configured = read(secret)?;
        if let Some(rotated) = memory.rotated_from(&configured) {
            match self.redeem(&rotated, &configured, memory, meter).await {
                Err(Failure::Final(Error::Credentials { status: 400 | 401, .. })) => memory.rotated = None,
                result => return result,
            }
        }
        self.redeem(&configured, &configured, memory, meter).await
    }

    async fn redeem(
        &self,
        token: &SecretString,
        configured: &SecretString,
        memory: &mut Memory,
        meter: &Meter,
    ) -> Result<Access, Failure> {
        let body = json!({"refresh": token.expose_secret()}).to_string();
        let request =
            self.transport.http.post(&self.endpoint).header(CONTENT_TYPE, "application/json").body(body);
        let Granted { access, refresh } = self.exchange(request, "access", &mut memory.broken, meter).await?;
        if let Some(token) = refresh {
            memory.rotated = Some(Rotated { token, descends_from: configured.clone() });
        }
        Ok(access)
    }

    async fn exchange(
        &self,
        request: RequestBuilder,
        key: &str,
        broken: &mut LastBroken,
        meter: &Meter,
    ) -> Result<Granted, Failure> {
        let asked_at = Instant::now();
        let answer = self.transport.send(request, meter).await?;
        let status = answer.status.as_u16();
        if matches!(status, 400 | 401 | 403) {
            let (endpoint, remedy) = (self.endpoint.clone(), self.remedy());
            return Err(Failure::Final(Error::Credentials { endpoint, status, remedy }));
        }
        let answer = answer.unquoted().accepted(&self.endpoint)?;
        token::read(answer, key, asked_at).map_err(|unusable| broken.judge(&self.endpoint, unusable))
    }
}

impl Memory {
    /// The rotated refresh token, unless the user has replaced the one that it descends from.
    fn rotated_from(&mut self, configured: &SecretString) -> Option<SecretString> {
        let is_ours = |rotated: &Rotated| rotated.descends_from.expose_secret() == configured.expose_secret();
        self.rotated = self.rotated.take().filter(is_ours);
        self.rotated.as_ref().map(|rotated| rotated.token.clone())
    }
}

fn read(secret: &Secret) -> Result<SecretString, Failure> {
    secret.read().map_err(|error| Failure::Final(error.into()))
}
