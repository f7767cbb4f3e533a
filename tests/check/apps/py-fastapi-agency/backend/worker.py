import os

from celery import Celery

from backend.services import ResearchAgent

celery = Celery("agency", broker=os.environ.get("CELERY_BROKER_URL", "redis://localhost:6379/0"))


@celery.task(soft_time_limit=300)
def research_later(user: str, topic: str) -> str:
    return ResearchAgent(user).run(topic)
