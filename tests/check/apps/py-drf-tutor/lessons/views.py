import logging
import os

from django.http import FileResponse, Http404
from rest_framework import status, viewsets
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from .models import Quiz
from .serializers import ExplainSerializer, QuizSerializer
from .services import Tutor

log = logging.getLogger(__name__)
LESSONS = "/srv/lessons"


class ExplainView(APIView):
    """Guarded by the defaults in the settings."""

    throttle_scope = "ai"

    def post(self, request):
        data = ExplainSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        text = Tutor().explain(**data.validated_data)
        return Response({"text": text})


class DemoView(APIView):
    permission_classes = [AllowAny]
    authentication_classes = []

    def post(self, request):
        return Response({"text": Tutor().explain(request.data.get("topic"), "easy")})


class QuizViewSet(viewsets.ModelViewSet):
    serializer_class = QuizSerializer
    throttle_scope = "ai"

    def get_queryset(self):
        return Quiz.objects.filter(owner=self.request.user)

    def perform_create(self, serializer):
        questions = Tutor().quiz(serializer.validated_data["topic"])
        serializer.save(owner=self.request.user, questions=questions)


@api_view(["POST"])
@permission_classes([AllowAny])
@authentication_classes([])
def grade(request):
    try:
        points = Tutor().grade(request.data["answer"], request.data.get("model", "gemini-2.0-flash"))
    except Exception as e:
        log.exception("grading failed")
        return Response({"detail": f"{type(e).__name__}: {e}"}, status=status.HTTP_502_BAD_GATEWAY)
    return Response({"points": points})


@api_view(["GET"])
def lesson_file(request, name):
    path = os.path.join(LESSONS, request.query_params.get("dir", ""), name)
    if not os.path.exists(path):
        raise Http404
    return FileResponse(open(path, "rb"))
