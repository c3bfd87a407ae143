{# A text column, null where it is blank. #}
{% macro filled(name) -%}
    CASE WHEN trim({{ name }}, e' \t\r\n') <> '' THEN {{ name }} END AS {{ name }}
{%- endmacro %}

{# What executives call a consumption. #}
{% macro band(used, entitled) -%}
    CASE
        WHEN {{ entitled }} = 0 THEN 'unentitled'
        WHEN {{ used }} = 0 THEN 'unused'
        WHEN round({{ used }} / {{ entitled }}, 9) >= 1.0 THEN 'over'
        WHEN round({{ used }} / {{ entitled }}, 9) >= 0.7 THEN 'healthy'
        WHEN round({{ used }} / {{ entitled }}, 9) >= 0.3 THEN 'low'
        ELSE 'at_risk'
    END
{%- endmacro %}
