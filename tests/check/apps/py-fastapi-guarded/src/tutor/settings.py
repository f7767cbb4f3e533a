from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env")

    openai_api_key: SecretStr
    jwt_secret: SecretStr
    debug: bool = False
    allowed_origins: list[str] = ["http://localhost:5173"]
    database: str = "tutor.db"


settings = Settings()
