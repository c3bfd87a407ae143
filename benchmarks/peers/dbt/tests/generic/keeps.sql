{% test keeps(model, rules) %}
SELECT *
FROM {{ model }}
WHERE {% for rule in rules %}NOT ({{ rule }}){% if not loop.last %} OR {% endif %}{% endfor %}
{% endtest %}
