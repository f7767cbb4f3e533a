from django.urls import path
from rest_framework_simplejwt.views import TokenObtainPairView

from lessons.views import DemoView, ExplainView, QuizViewSet, grade, lesson_file

urlpatterns = [
    path("api/token/", TokenObtainPairView.as_view()),
    path("api/explain/", ExplainView.as_view()),
    path("api/demo/", DemoView.as_view()),
    path("api/quiz/", QuizViewSet.as_view({"post": "create", "get": "list"})),
    path("api/grade/", grade),
    path("api/files/<str:name>/", lesson_file),
]
