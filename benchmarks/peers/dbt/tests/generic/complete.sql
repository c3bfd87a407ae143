{% test complete(model, columns) %}
SELECT *
FROM {{ model }}
WHERE {{ columns | join(' IS NULL OR ') }} IS NULL
{% endtest %}
