import jwt
import pytest
from fastapi.testclient import TestClient

FAKE_KEY = "sk-test-not-a-real-key"


@pytest.fixture
def client(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", FAKE_KEY)
    monkeypatch.setenv("JWT_SECRET", "test-secret")
    from tutor.main import app

    return TestClient(app)


def test_asking_needs_a_login(client):
    assert client.post("/chat", json={"text": "Quid novi?"}).status_code == 403


def test_a_bad_token_is_refused(client):
    token = jwt.encode({"sub": "1"}, "some-other-secret", algorithm="HS256")
    answer = client.post("/chat", json={"text": "Salve"}, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
