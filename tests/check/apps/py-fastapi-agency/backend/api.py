import jwt
from fastapi import APIRouter, Depends, Header, HTTPException
from pydantic import BaseModel, Field

from backend.services import CopyService, ResearchAgent

router = APIRouter()


class CopyRequest(BaseModel):
    brief: str = Field(max_length=4000)
    model: str = "gpt-4o-mini"
    base_url: str | None = None
    persona: str = "a senior copywriter"


class ResearchRequest(BaseModel):
    topic: str = Field(max_length=300)


def current_user(authorization: str = Header(...)):
    token = authorization.removeprefix("Bearer ")
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.DecodeError:
        raise HTTPException(401)
    return claims["email"]


def get_service() -> CopyService:
    return CopyService()


@router.post("/copy")
def write_copy(req: CopyRequest, service: CopyService = Depends(get_service)):
    return {"copy": service.write(req.brief, req.model, req.base_url, req.persona)}


@router.post("/research")
def research(req: ResearchRequest, user: str = Depends(current_user)):
    agent = ResearchAgent(user)
    return {"report": agent.run(req.topic)}


@router.get("/me")
def me(user: str = Depends(current_user)):
    return {"email": user}
