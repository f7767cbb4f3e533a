import os
from typing import Optional

from fastapi import Header, HTTPException
from jose import JWTError, jwt

JWT_SECRET = os.getenv("JWT_SECRET", "please-change-me")


def get_current_user(authorization: str = Header(...)):
    try:
        return jwt.decode(authorization.split()[-1], JWT_SECRET, algorithms=["HS256"])
    except JWTError:
        raise HTTPException(status_code=401, detail="Invalid token")


def optional_user(authorization: Optional[str] = Header(None)):
    """Only for the greeting."""
    if not authorization:
        return None
    return jwt.get_unverified_claims(authorization.split()[-1])
