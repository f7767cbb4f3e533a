from django.conf import settings
from django.db import models


class Quiz(models.Model):
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    topic = models.CharField(max_length=200)
    questions = models.JSONField(default=list)
