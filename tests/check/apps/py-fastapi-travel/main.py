import asyncio
import os
from typing import Any

from dotenv import load_dotenv
from fastapi import BackgroundTasks, Body, Depends, FastAPI, HTTPException, Request
from fastapi.responses import RedirectResponse
from motor.motor_asyncio import AsyncIOMotorClient

from planner import plan_trip, quick_tip
from auth import get_current_user, optional_user

load_dotenv()
app = FastAPI()
db = AsyncIOMotorClient(os.getenv("MONGO_URL", "mongodb://localhost:27017")).travel


@app.post("/trips/find")
async def find_trips(query: dict[str, Any] = Body(...), user=Depends(get_current_user)):
    return await db.trips.find(query, {"_id": 0}).to_list(50)


@app.get("/trips/mine")
async def my_trips(user=Depends(get_current_user)):
    return await db.trips.find({"owner": user["sub"]}, {"_id": 0}).to_list(50)


@app.post("/login")
async def login(request: Request):
    data = await request.json()
    account = await db.users.find_one({"email": data["email"], "password": data["password"]})
    if account is None:
        raise HTTPException(401)
    return {"id": str(account["_id"])}


@app.post("/trips/plan")
async def plan(background: BackgroundTasks, wish: str = Body(embed=True, max_length=500), user=Depends(get_current_user)):
    background.add_task(plan_trip, user["sub"], wish)
    return {"status": "planning"}


@app.get("/tip")
async def tip(city: str, user=Depends(optional_user)):
    return {"tip": await quick_tip(city[:60])}


@app.get("/healthz")
async def healthz():
    await db.command("ping")
    return {"ok": True}
