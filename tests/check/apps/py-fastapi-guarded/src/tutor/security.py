from typing import Annotated

import jwt
from fastapi import Depends, HTTPException, status
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from tutor.settings import settings

bearer = HTTPBearer()


def current_student(credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> str:
    try:
        claims = jwt.decode(
            credentials.credentials, settings.jwt_secret.get_secret_value(), algorithms=["HS256"], audience="tutor"
        )
    except jwt.PyJWTError:
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, "Please sign in again")
    return claims["sub"]


Student = Annotated[str, Depends(current_student)]
