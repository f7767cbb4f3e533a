from rest_framework import serializers

from .models import Quiz


class ExplainSerializer(serializers.Serializer):
    topic = serializers.CharField(max_length=300)
    level = serializers.ChoiceField(choices=["easy", "normal", "hard"])


class QuizSerializer(serializers.ModelSerializer):
    class Meta:
        model = Quiz
        fields = ["id", "topic", "questions"]
        read_only_fields = ["questions"]
