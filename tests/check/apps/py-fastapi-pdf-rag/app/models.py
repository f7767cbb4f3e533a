from sqlalchemy import Column, DateTime, Integer, String, func
from sqlalchemy.orm import declarative_base

Base = declarative_base()


class Document(Base):
    __tablename__ = "documents"

    id = Column(Integer, primary_key=True)
    name = Column(String(200), nullable=False)
    pages = Column(Integer, default=0)
    created_at = Column(DateTime, server_default=func.now())
