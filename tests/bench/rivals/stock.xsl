<?xml version="1.0" encoding="UTF-8"?>
<!-- What cz/pohoda-stock and cz/shoptet-stock do with the benchmark's file. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:lStk="http://www.stormware.cz/schema/version_2/list_stock.xsd"
    xmlns:stk="http://www.stormware.cz/schema/version_2/stock.xsd">
  <xsl:output method="text" encoding="windows-1250"/>
  <xsl:decimal-format decimal-separator=","/>

  <xsl:template match="/">
    <xsl:text>code;ean;stock;purchasePrice;price;percentVat&#13;&#10;</xsl:text>
    <xsl:for-each select="//lStk:stock/stk:stockHeader[stk:stockType='card']">
      <xsl:variable name="free" select="stk:count - stk:countReceivedOrders"/>
      <xsl:value-of select="normalize-space(stk:code)"/>
      <xsl:text>;</xsl:text>
      <xsl:value-of select="normalize-space(stk:EAN)"/>
      <xsl:text>;</xsl:text>
      <xsl:value-of select="format-number($free * ($free &gt; 0), '0,###')"/>
      <xsl:text>;</xsl:text>
      <xsl:value-of select="format-number(stk:purchasingPrice, '0,00')"/>
      <xsl:text>;</xsl:text>
      <xsl:value-of select="format-number(stk:sellingPrice, '0,00')"/>
      <xsl:text>;</xsl:text>
      <xsl:choose>
        <xsl:when test="stk:sellingRateVAT = 'high'">21</xsl:when>
        <xsl:when test="stk:sellingRateVAT = 'low'">12</xsl:when>
        <xsl:otherwise>0</xsl:otherwise>
      </xsl:choose>
      <xsl:text>&#13;&#10;</xsl:text>
    </xsl:for-each>
  </xsl:template>
</xsl:stylesheet>
